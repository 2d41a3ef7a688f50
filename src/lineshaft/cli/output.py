"""What commands print on standard output: text for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from itertools import pairwise
from typing import Any, TypeVar

import click

from lineshaft.cli.terminal import console, printable

R = TypeVar("R")


class Output(StrEnum):
    """Who reads the output."""

    TEXT = "text"
    JSON = "json"


def with_output(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the option that tells who reads its output, as its argument `output`."""

    @click.option(
        "--output",
        type=click.Choice([choice.value for choice in Output]),
        default=Output.TEXT.value,
        show_default=True,
        help="Who reads it: people (text) or programs (json).",
    )
    @wraps(command)
    def wrapper(*args: Any, output: str, **options: Any) -> R:
        return command(*args, output=Output(output), **options)

    return wrapper


with_error_output = click.option(
    "--output",
    type=click.Choice([choice.value for choice in Output]),
    default=Output.TEXT.value,
    show_default=True,
    expose_value=False,  # Whoever reports errors looks at the command line itself.
    help="Who reads errors: people (text) or programs (json); the answer is JSON in any case.",
)
"""Gives a command that always prints JSON the option that tells who reads its errors."""


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON; needed even where the command line makes no sense otherwise."""
    return any(
        first in {"--output=json", "--format=json"}
        or (first in {"--output", "--format"} and second == Output.JSON)
        for first, second in pairwise([*arguments, ""])
    )


def print_json(document: Any) -> None:
    """Print a JSON document: on one line for programs, indented on a terminal."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(document, ensure_ascii=False, indent=indent))


def print_json_line(document: Mapping[str, Any]) -> None:
    """Print one JSON document of several, on a line of its own, at once."""
    click.echo(json.dumps(document, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str]) -> None:
    """Print rows in columns.

    Args:
        headings: of the columns.
        rows: a text for each column.
        styles: the style of cells that hold exactly this text.
    """
    from rich.cells import cell_len
    from rich.text import Text

    out = console(sys.stdout)
    lines = [headings, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for number, cells in enumerate(lines):
        line = Text(style="" if number else "bold")
        for cell, width in zip(cells, widths, strict=True):
            line.append(cell + " " * (width - cell_len(cell) + 2), styles.get(cell, ""))
        line.rstrip()
        out.print(line, no_wrap=True, overflow="ellipsis")
