"""Slots: how many attempts a worker may have in hand, and how many more it may ask for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """Counts what is being worked on, and what has been asked for and may come at any moment.

    Both together are never more than there are slots, so that no answer brings more than there is room for.

    Attributes:
        changed: is set when there may be more free ones; whoever waits for that clears it.
    """

    def __init__(self, total: int) -> None:
        """Begin with all of them free."""
        self.changed = asyncio.Event()
        self._total = total
        self._taken = 0

    @property
    def free(self) -> int:
        """How many may be asked for."""
        return self._total - self._taken

    def take(self, count: int = 1) -> None:
        """Take some, for work or for a call whose answer may bring work."""
        self._taken += count

    def give_back(self, count: int = 1) -> None:
        """Give back what was taken."""
        self._taken -= count
        self.changed.set()

    @contextmanager
    def taking(self, count: int) -> Iterator[None]:
        """Take some for as long as this goes on."""
        self.take(count)
        try:
            yield
        finally:
            self.give_back(count)
