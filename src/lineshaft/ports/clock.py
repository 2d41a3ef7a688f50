"""Time, passed in."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Cheap, never blocks, safe from any thread; time may stand still but never goes back."""

    def now(self) -> datetime:
        """Tell the time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Tell the time, aware, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock for tests that moves only when told."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        """Begin at `now`."""
        self._now = now

    def now(self) -> datetime:
        """Tell the time that was set."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the time on."""
        self._now += by
