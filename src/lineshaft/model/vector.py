"""A persistent vector: replacing an item makes a new vector that shares nearly all of the old one."""

from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_PAGE: Final = 64


class Vector(Generic[T]):
    """An immutable sequence in pages, so that a change copies two short lists whatever its length.

    The engine's state is immutable and a run may have many thousand nodes, of which an event changes a few.
    """

    __slots__ = ("_length", "_pages")

    # Lists, because one is copied with an item changed in a third of a tuple's time; none is changed later.
    _length: int
    _pages: list[list[T]]

    def __init__(self, items: Iterable[T] = ()) -> None:
        """Hold the items in their order."""
        whole = list(items)
        self._length = len(whole)
        self._pages = [whole[start : start + _PAGE] for start in range(0, len(whole), _PAGE)]

    def __len__(self) -> int:
        """Count the items."""
        return self._length

    def __getitem__(self, index: int) -> T:
        """Return the item at `index`, counted from 0; negative indexes are refused with IndexError."""
        if index < 0:
            raise IndexError(index)
        return self._pages[index // _PAGE][index % _PAGE]

    def __iter__(self) -> Iterator[T]:
        """Go through the items in their order."""
        for page in self._pages:
            yield from page

    def __eq__(self, other: object) -> bool:
        """Compare item by item."""
        return isinstance(other, Vector) and self._pages == other._pages

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Show the items."""
        return f"Vector({list(self)!r})"

    def replaced(self, index: int, item: T) -> "Vector[T]":
        """Return a vector with `item` at `index` and all else as it is here."""
        at, within = divmod(index, _PAGE)
        pages = self._pages.copy()
        page = pages[at] = pages[at].copy()
        page[within] = item
        new: Vector[T] = Vector.__new__(Vector)
        new._length = self._length
        new._pages = pages
        return new

    def extended(self, items: Iterable[T]) -> "Vector[T]":
        """Return a vector with more items behind the ones here."""
        whole = len(self._pages) * _PAGE == self._length
        kept = self._pages if whole else self._pages[:-1]
        more = [*(() if whole else self._pages[-1]), *items]
        new: Vector[T] = Vector.__new__(Vector)
        new._length = len(kept) * _PAGE + len(more)
        new._pages = [*kept, *(more[start : start + _PAGE] for start in range(0, len(more), _PAGE))]
        return new
