"""Where a value stands in a YAML text."""

from typing import NamedTuple

from lineshaft.definition.position import Path, Positions, Span


class Member(NamedTuple):
    """One member of a mapping or sequence, by the offsets of its pieces.

    Attributes:
        key_start: where its key begins; for an item of a sequence, where the item does.
        key_end: where that ends.
        start: where its value begins.
        end: where that ends.
        members: what the value holds; None for a scalar.
    """

    key_start: int
    key_end: int
    start: int
    end: int
    members: "Members | None"


Members = dict[str | int, Member]
"""The members of one mapping or sequence, by key or index. Aliases share those of their anchor."""


class YamlPositions(Positions):
    """Finds values by what was noted while a text was read.

    Attributes:
        root: the whole document; it is noted at the end of reading.
    """

    def __init__(self, text: str) -> None:
        """Look into `text`, of which nothing is noted yet."""
        super().__init__(text)
        self.root = Member(0, 0, 0, 0, None)

    def spans(self, path: Path) -> tuple[Span, Span]:
        """Tell where the key and the value at a path stand, or of the nearest around where there is none."""
        found = self.root
        for step in path:
            inner = found.members.get(step) if found.members else None
            if inner is None:
                break
            found = inner
        return Span(found.key_start, found.key_end), Span(found.start, found.end)
