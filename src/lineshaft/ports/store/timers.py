"""The times at which runs want to hear of something."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from lineshaft.model.event import TimerPurpose

TIMER_NOTICE: Final = timedelta(minutes=1)
"""Timers that are due later than this wake nobody: who waits for timers looks as often by itself."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A time at which a run wants to hear of something.

    Attributes:
        run_id: the run.
        node: the node's index.
        purpose: what it is for.
        due_at: when.
    """

    run_id: UUID
    node: int
    purpose: TimerPurpose
    due_at: datetime


class Timers(Protocol):
    """The times at which runs want to hear of something; runs set them by `Runs.save`."""

    def due(self, now: datetime, limit: int) -> Sequence[Timer]:
        """List timers that are due, the oldest first."""
        ...

    def next_due(self) -> datetime | None:
        """Tell when the next timer is due; None when there is none."""
        ...

    def done(self, timer: Timer) -> None:
        """Drop a timer that has fired; one that has meanwhile been set to another time stays."""
        ...
