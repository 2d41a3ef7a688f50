"""JSON that a user hands in: where it comes from, its syntax, and the places where it is wrong."""

import json
import re
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from lineshaft.cli.terminal import printable
from lineshaft.cli.working_tree import WorkingTree
from lineshaft.model.errors import InvalidDefinitionError, InvalidInputError, NotFoundError, Problem

STANDARD_INPUT: Final = "standard input"
"""The origin of what was read from there."""

_ARGUMENT: Final = "--data"

_STRING: Final = r'"(?:[^"\\]|\\.)*"?'
_VALUE: Final = rf"(?:{_STRING}|[\w.+-]+)"
_OFFENDER: Final = re.compile(rf"{_STRING}\s*:\s*{_VALUE}|{_VALUE}|\S")
"""A member of an object with its value, a value, or whatever stands there."""

_SHOWN_BEFORE: Final = 40
_SHOWN_IN_ALL: Final = 100


@dataclass(frozen=True, slots=True)
class InputText:
    """Text that a user handed in.

    Attributes:
        origin: where it comes from, for messages.
        data: its bytes, as they are.
        beside: the files that it may name.
    """

    origin: str
    data: bytes
    beside: WorkingTree | None = None

    @classmethod
    def from_argument(cls, argument: str, option: str = _ARGUMENT) -> Self:
        """Take an argument: the text itself, `@FILE`, or `-` for standard input.

        Args:
            argument: as it was given.
            option: behind which it stands, with its dashes.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: the file cannot be read.
        """
        if argument == "-":
            return cls(STANDARD_INPUT, sys.stdin.buffer.read())
        if argument.startswith("@"):
            return cls.from_file(Path(argument[1:]))
        return cls(option, argument.encode("utf-8", "surrogateescape"))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: it cannot be read.
        """
        try:
            return cls(str(path), path.read_bytes())
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no file '{path}'.") from error
        except OSError as error:
            raise InvalidInputError(f"'{path}' cannot be read: {error.strerror}.") from error

    @property
    def path(self) -> str:
        """The file's path; empty where it comes from no file."""
        is_file = self.origin != STANDARD_INPUT and not self.origin.startswith("--")
        return self.origin if is_file else ""

    def named(self, file: str) -> "InputText | None":
        """Return the text of a file that this one names; None where it cannot be read."""
        data = self.beside.read(file) if self.beside else None
        return None if data is None else InputText(file, data, self.beside)

    def check_syntax(self) -> None:
        """Refuse what is no JSON; whether it makes sense is for others to say.

        Raises:
            InvalidDefinitionError: it is no UTF-8 or no JSON; its problem says where.
        """
        try:
            json.loads(self.data.decode())
        except UnicodeDecodeError as error:
            before = self.data[: error.start].decode()
            problem = _problem_at(before, f"byte 0x{self.data[error.start]:02x} is no valid UTF-8")
        except json.JSONDecodeError as error:
            problem = _problem_at(error.doc[: error.pos], f"{error.msg[:1].lower()}{error.msg[1:]}")
        except RecursionError:
            problem = Problem("", "the values are nested too deep")
        else:
            return
        raise InvalidDefinitionError(f"{self.origin} is no valid JSON.", problems=[problem])

    def excerpt(self, line: int, column: int, length: int | None = None) -> tuple[str, str] | None:
        """Show a place: its line, and a line that underlines what begins there.

        Args:
            line: from 1.
            column: in characters, from 1.
            length: how many characters to underline; where it is None, the JSON value that begins there.

        Returns:
            The two lines; None where the text has no such place.
        """
        lines = self.data.decode("utf-8", "replace").split("\n")
        if not (1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1):
            return None
        text, start = lines[line - 1].rstrip("\r"), column - 1
        if length is None:
            token = _OFFENDER.match(text, start)
            length = len(token[0]) if token else 1
        first = max(0, start - _SHOWN_BEFORE) if len(text) > _SHOWN_IN_ALL else 0
        shown = printable(text[first : first + _SHOWN_IN_ALL])
        begin = start - first
        marks = "^" * max(_cells(shown[begin : begin + length]), 1)
        number = f"{line:>5} | "
        return number + shown, f"{'':>{len(number) - 2}}| {'':>{_cells(shown[:begin])}}{marks}"


def _problem_at(before: str, message: str) -> Problem:
    return Problem("", message, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
