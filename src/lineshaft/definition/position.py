"""Where the values of a text stand in it."""

import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

Path = tuple[str | int, ...]
"""The keys and indexes that lead from the whole document down to a value."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text.

    Attributes:
        start: the offset of its first character, from 0.
        end: the offset behind its last character.
    """

    start: int
    end: int


class Positions(ABC):
    """Finds the values of a text, whatever it is written in."""

    def __init__(self, text: str) -> None:
        """Look into `text`."""
        self.text = text

    @abstractmethod
    def spans(self, path: Path) -> tuple[Span, Span]:
        """Tell where the key and the value at a path stand, or of the nearest around where there is none.

        What has no key (an item of a list, the whole document) has its value's span for both. Of repeated
        keys it is the last.
        """

    def key(self, path: Path) -> Span:
        """Tell where a value begins with its key."""
        return self.spans(path)[0]

    def value(self, path: Path) -> Span:
        """Tell where a value itself stands."""
        return self.spans(path)[1]

    def find(self, path: Path) -> tuple[int, int]:
        """Tell line and column, from 1: of the key, for a member of an object."""
        return self.line_and_column(self.key(path).start)

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Tell in which line and column, from 1, an offset lies."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def length_in_line(self, span: Span) -> int:
        """Count the characters of a span that stand in its first line; at least 1."""
        first, _, _ = self.text[span.start : span.end].partition("\n")
        return max(1, len(first.rstrip()))
