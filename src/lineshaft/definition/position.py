"""Where a value stands in a JSON text."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

Path = tuple[str | int, ...]
"""The keys and indexes that lead from the whole document down to a value."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")


def _ignore(_: str) -> None:
    """Stand in for a number, whose value does not matter here and may be too long to compute."""


_DECODER: Final = json.JSONDecoder(parse_int=_ignore, parse_float=_ignore, parse_constant=_ignore)


class Positions:
    """Finds values in a text that is known to be JSON and nested no deeper than the interpreter can follow.

    The standard library's decoder passes over whatever does not lie on the way. Each object and array that
    does is gone through once, however many of its members are asked for.
    """

    def __init__(self, text: str) -> None:
        """Look into `text`."""
        self._text = text
        self._members: dict[int, dict[str | int, tuple[int, int]]] = {}

    def find(self, path: Path) -> tuple[int, int]:
        """Tell where a value stands, or the nearest value around it where there is none at that path.

        Returns:
            Line and column, from 1: of the key, for a member of an object. Of repeated keys it is the last.
        """
        begins = value = self._skip_space(0)
        for step in path:
            members = self._members_at(value)
            if step not in members:
                break
            begins, value = members[step]
        return self._line_and_column(begins)

    def _members_at(self, start: int) -> dict[str | int, tuple[int, int]]:
        """Map each key or index of the value at `start` to where it begins and where its own value does."""
        if start not in self._members:
            match self._text[start]:
                case "{":
                    self._members[start] = self._object(start)
                case "[":
                    self._members[start] = self._array(start)
                case _:
                    return {}
        return self._members[start]

    def _object(self, start: int) -> dict[str | int, tuple[int, int]]:
        members: dict[str | int, tuple[int, int]] = {}

        def read(begins: int) -> int:
            key, end = self._decode(begins)
            value = self._skip_space(self._skip_space(end) + 1)
            members[key] = begins, value
            return self._decode(value)[1]

        self._each(start, read)
        return members

    def _array(self, start: int) -> dict[str | int, tuple[int, int]]:
        members: dict[str | int, tuple[int, int]] = {}

        def read(begins: int) -> int:
            members[len(members)] = begins, begins
            return self._decode(begins)[1]

        self._each(start, read)
        return members

    def _each(self, start: int, read: Callable[[int], int]) -> None:
        """Call `read` where each member begins; it returns where that member ends."""
        at = self._skip_space(start + 1)
        while self._text[at] not in "]}":
            at = self._skip_space(read(at))
            if self._text[at] == ",":
                at = self._skip_space(at + 1)

    def _decode(self, at: int) -> tuple[Any, int]:
        return _DECODER.raw_decode(self._text, at)

    def _skip_space(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return at if match is None else match.end()

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        line = self._text.count("\n", 0, offset) + 1
        return line, offset - self._text.rfind("\n", 0, offset)
