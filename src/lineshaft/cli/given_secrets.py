"""Secrets that `lineshaft run` is given: by the names of variables, and in a file."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from lineshaft.model.errors import InvalidInputError, NotFoundError
from lineshaft.model.maskable import why_unmaskable
from lineshaft.model.variable import is_variable_name, why_reserved

R = TypeVar("R")

_ENTRY: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=|<<)(.*)")
_ADVICE: Final = "Write NAME=value, or NAME<<END with the value's lines up to a line END."


def with_secrets(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options that say which secrets there are, as its argument `secrets`, by name."""

    @click.option(
        "--secret",
        "secrets",
        metavar="NAME",
        multiple=True,
        help="A secret that tasks name, out of the variable of that name; may be given again for others.",
    )
    @click.option(
        "--secrets-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A file with secrets: NAME=value a line, or NAME<<END and lines up to END.",
    )
    @wraps(command)
    def wrapper(*args: Any, secrets: tuple[str, ...], secrets_file: Path | None, **options: Any) -> R:
        return command(*args, secrets=given_secrets(secrets, secrets_file), **options)

    return wrapper


def given_secrets(
    names: Sequence[str], file: Path | None, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Collect secrets by name; what is named is stronger than what stands in the file.

    Args:
        names: of variables of this process's environment.
        file: with lines `NAME=value`, or `NAME<<END` with the lines up to `END`; empty lines, and those that
            begin with `#`, do not count.
        environment: where the variables are.

    Raises:
        NotFoundError: there is no such variable or file.
        InvalidInputError: the file cannot be read, or a value is none that could be masked.
    """
    values = {} if file is None else _read(file)
    absent = [name for name in names if name not in environment]
    if absent:
        raise NotFoundError(
            f"The environment has no variable {', '.join(absent)}.",
            advice="Set it, or put the secret into a file for --secrets-file.",
        )
    values |= {name: environment[name] for name in names}
    for name, value in values.items():
        _check(name, value)
    return values


def _check(name: str, value: str) -> None:
    # The value itself is not repeated.
    why = why_reserved(name) if is_variable_name(name) else "is no name of a variable"
    if why is not None:
        raise InvalidInputError(f"The secret {name} {why}.")
    unmaskable = why_unmaskable(value)
    if unmaskable is not None:
        raise InvalidInputError(f"The secret {name} cannot be masked in logs. {unmaskable.text}")


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file '{path}'.") from error
    except OSError as error:
        raise InvalidInputError(f"'{path}' cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"'{path}' is no UTF-8 text.") from error
    values: dict[str, str] = {}
    lines = iter(enumerate(text.removesuffix("\n").split("\n"), 1))
    for number, line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        entry = _ENTRY.fullmatch(line.removesuffix("\r"))
        if entry is None:
            raise InvalidInputError(f"Line {number} of '{path}' names no secret.", advice=_ADVICE)
        name, form, rest = entry.groups()
        values[name] = rest if form == "=" else _lines_up_to(rest, lines, f"line {number} of '{path}'")
    return values


def _lines_up_to(end: str, lines: Iterator[tuple[int, str]], place: str) -> str:
    value: list[str] = []
    for _, line in lines:
        if end and line.removesuffix("\r") == end:
            return "\n".join(value)
        value.append(line)
    raise InvalidInputError(f"The value that begins in {place} has no end.", advice=_ADVICE)
