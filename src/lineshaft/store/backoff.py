"""Waiting between tries."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random, SystemRandom

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
        random: where the random parts come from.
    """

    sleep: Sleep
    tries: int = 10
    first: timedelta = timedelta(milliseconds=10)
    longest: timedelta = timedelta(seconds=1)
    random: Random = field(default_factory=SystemRandom)

    def waits(self) -> Iterator[float]:
        """Tell the seconds to wait behind each try but the last."""
        for number in range(self.tries - 1):
            most = min(self.first * 2**number, self.longest)
            yield most.total_seconds() * self.random.uniform(0.5, 1)
