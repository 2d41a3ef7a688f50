"""Lines: of idle workers that offer the same, only the first few look at the queue.

Such workers could take the same attempts. So where a few of them find nothing, the others would find nothing
either, and a thousand that wait need not all ask the database whenever one attempt is queued.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

from lineshaft.model.placement import Offer
from lineshaft.ports.wakeups import WakeUps

FRONT: Final = 8
"""How many of a line look at once: so many claims share a commit when many attempts are queued together."""


class Place:
    """A waiting claim's place in its line.

    Attributes:
        topic: is woken when the place comes to the front.
        in_front: whether its claim is to look at the queue when that changes.
    """

    __slots__ = ("in_front", "topic")

    def __init__(self, topic: str, *, in_front: bool) -> None:
        self.topic = topic
        self.in_front = in_front


class Lines:
    """The lines of one process; in memory only, since every claim looks at the queue as it comes."""

    def __init__(self, wakeups: WakeUps) -> None:
        """Begin with nobody waiting."""
        self._wakeups = wakeups
        self._lines: dict[Offer, dict[Place, None]] = {}
        self._numbers = count(1)

    @contextmanager
    def waiting(self, offer: Offer, *, idle: bool) -> Iterator[Place]:
        """Stand in the line of an offer while the context is open.

        One who leaves the front lets the next one look. A worker that is not idle stands in no line, since
        what is left of it may be more or less than of its like.
        """
        if not idle:
            yield Place("", in_front=True)
            return
        line = self._lines.setdefault(offer, {})
        place = Place(f"line:{next(self._numbers)}", in_front=len(line) < FRONT)
        line[place] = None
        try:
            yield place
        finally:
            del line[place]
            self._move_up(line)
            if not line and self._lines.get(offer) is line:
                del self._lines[offer]

    def _move_up(self, line: dict[Place, None]) -> None:
        for number, place in enumerate(line):
            if number == FRONT:
                return
            if not place.in_front:
                place.in_front = True
                self._wakeups.wake(frozenset({place.topic}))
