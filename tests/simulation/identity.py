"""Time and identity, as a simulated server has them."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from simulation.loop import VirtualLoop

_BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)


class ServerClock:
    """A clock that differs from the others, and jumps; it never goes back, as its port promises."""

    def __init__(self, loop: VirtualLoop, ahead: timedelta) -> None:
        """Begin with a difference to the true time."""
        self._loop = loop
        self._ahead = ahead
        self._last = _BEGINNING

    def now(self) -> datetime:
        """Tell the time as this server believes it to be."""
        self._last = max(self._last, _BEGINNING + timedelta(seconds=self._loop.time()) + self._ahead)
        return self._last

    def jump(self, by: timedelta) -> None:
        """Have it jump; one that jumps back stands still until the time that it has told is reached."""
        self._ahead += by


class SeededIds:
    """Ids and tokens from the seed."""

    def __init__(self, clock: ServerClock, random: Random) -> None:
        """Make ids that begin with a clock's time."""
        self._clock = clock
        self._random = random
        self._count = 0

    def new_id(self) -> UUID:
        """Make a UUIDv7 (RFC 9562, section 5.7)."""
        self._count += 1
        milliseconds = int(self._clock.now().timestamp() * 1000)
        low = (0x2 << 62) | self._random.getrandbits(62)
        return UUID(int=(milliseconds << 80) | (0x7 << 76) | ((self._count & 0xFFF) << 64) | low)

    def new_token(self) -> str:
        """Make a token."""
        return f"{self._random.getrandbits(128):032x}"
