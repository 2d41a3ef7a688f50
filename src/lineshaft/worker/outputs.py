"""The values that a task gives to later nodes, as it wrote them to the file that LINESHAFT_OUTPUT names."""

import re
from collections.abc import Iterator
from typing import Final

OUTPUTS_LIMIT_BYTES: Final = 64 * 1024
"""The most that the file may hold."""

_ENTRY: Final = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_-]*)(?P<form>=|<<)(?P<rest>.*)", re.DOTALL)
_SHOWN: Final = 60


class BadOutputsError(Exception):
    """The file makes no sense; the message is a sentence that names the line."""


def read_outputs(data: bytes) -> dict[str, str]:
    r"""Read lines `NAME=value`, and `NAME<<END` with the lines up to `END`.

    A name that comes twice has its last value. Empty lines between entries mean nothing.

    Args:
        data: UTF-8, lines ended by `\n`.

    Raises:
        BadOutputsError: a line is in no such form, is no UTF-8 or holds a NUL character.
    """
    lines: Iterator[tuple[int, str]] = enumerate(_text_of(data).removesuffix("\n").split("\n"), 1)
    values: dict[str, str] = {}
    for number, line in lines:
        if not line.strip():
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            raise BadOutputsError(
                f"Line {number} of the outputs is neither NAME=value nor NAME<<END: {line[:_SHOWN]!r}."
            )
        values[entry["name"]] = (
            entry["rest"] if entry["form"] == "=" else _lines_up_to(entry["rest"], number, lines)
        )
    return values


def _text_of(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadOutputsError(f"Line {line} of the outputs is no UTF-8 text.") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BadOutputsError(f"Line {line} of the outputs holds a NUL character.")
    return text


def _lines_up_to(end: str, opened: int, lines: Iterator[tuple[int, str]]) -> str:
    if not end.strip():
        raise BadOutputsError(f"Line {opened} of the outputs has no word behind its `<<`.")
    value: list[str] = []
    for _, line in lines:
        if line == end:
            return "\n".join(value)
        value.append(line)
    raise BadOutputsError(
        f"The value that begins in line {opened} of the outputs has no line {end[:_SHOWN]!r} at its end."
    )
