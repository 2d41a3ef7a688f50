"""Waiting between tries."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import SystemRandom

Sleep = Callable[[float], Awaitable[object]]
"""Waits so many seconds, as `asyncio.sleep` does."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how long to wait between tries: twice as long each time, each time a random part of it.

    Attributes:
        sleep: how to wait.
        tries: how many tries there are in all.
        first: the longest wait behind the first try.
        longest: the longest wait of all.
    """

    sleep: Sleep
    tries: int = 10
    first: timedelta = timedelta(milliseconds=10)
    longest: timedelta = timedelta(seconds=1)

    def waits(self) -> Iterator[float]:
        """Tell the seconds to wait behind each try but the last."""
        random = SystemRandom()
        for number in range(self.tries - 1):
            most = min(self.first * 2**number, self.longest)
            yield most.total_seconds() * random.uniform(0.5, 1)
