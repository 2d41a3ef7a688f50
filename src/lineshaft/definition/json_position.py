"""Where a value stands in a JSON text."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from lineshaft.definition.position import Path, Positions, Span

_Members = dict[str | int, tuple[Span, Span]]

_SPACE: Final = re.compile(r"[ \t\n\r]*")


def _ignore(_: str) -> None:
    """Stand in for a number, whose value does not matter here and may be too long to compute."""


_DECODER: Final = json.JSONDecoder(parse_int=_ignore, parse_float=_ignore, parse_constant=_ignore)


class JsonPositions(Positions):
    """Finds values in a text that is known to be JSON and nested no deeper than the interpreter can follow.

    The standard library's decoder passes over whatever does not lie on the way. Each object and array that
    does is gone through once, however many of its members are asked for.
    """

    def __init__(self, text: str) -> None:
        """Look into `text`."""
        super().__init__(text)
        self._members: dict[int, _Members] = {}

    def spans(self, path: Path) -> tuple[Span, Span]:
        """Tell where the key and the value at a path stand, or of the nearest around where there is none."""
        begins = self._skip_space(0)
        whole = Span(begins, len(self.text.rstrip()))
        found = whole, whole
        for step in path:
            members = self._members_at(found[1].start)
            if step not in members:
                break
            found = members[step]
        return found

    def _members_at(self, start: int) -> _Members:
        """Map each key or index of the value at `start` to where its key and its own value stand."""
        if start not in self._members:
            match self.text[start]:
                case "{":
                    self._members[start] = self._object(start)
                case "[":
                    self._members[start] = self._array(start)
                case _:
                    return {}
        return self._members[start]

    def _object(self, start: int) -> _Members:
        members: _Members = {}

        def read(begins: int) -> int:
            key, end = self._decode(begins)
            value = self._skip_space(self._skip_space(end) + 1)
            behind = self._decode(value)[1]
            members[key] = Span(begins, end), Span(value, behind)
            return behind

        self._each(start, read)
        return members

    def _array(self, start: int) -> _Members:
        members: _Members = {}

        def read(begins: int) -> int:
            behind = self._decode(begins)[1]
            members[len(members)] = Span(begins, behind), Span(begins, behind)
            return behind

        self._each(start, read)
        return members

    def _each(self, start: int, read: Callable[[int], int]) -> None:
        """Call `read` where each member begins; it returns where that member ends."""
        at = self._skip_space(start + 1)
        while self.text[at] not in "]}":
            at = self._skip_space(read(at))
            if self.text[at] == ",":
                at = self._skip_space(at + 1)

    def _decode(self, at: int) -> tuple[Any, int]:
        return _DECODER.raw_decode(self.text, at)

    def _skip_space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return at if match is None else match.end()
