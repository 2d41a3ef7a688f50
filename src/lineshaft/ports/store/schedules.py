"""The schedules of pipelines: when each is due next, and what came of it last."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.schedule import KeptSchedule


class Schedules(Protocol):
    """The schedules of the pipelines that exist."""

    def of_pipeline(self, pipeline_id: UUID) -> Sequence[KeptSchedule]:
        """List those of a pipeline, by position."""
        ...

    def put(self, pipeline_id: UUID, schedules: Sequence[KeptSchedule]) -> None:
        """Give a pipeline these in the place of all that it had, and wake the topic of schedules.

        Hold the pipeline before you look at what it has.
        """
        ...

    def move(self, schedule: KeptSchedule) -> None:
        """Write how one stands now; without effect where the pipeline has none at its position."""
        ...

    def due(self, now: datetime, worked_out_after: datetime, limit: int) -> Sequence[KeptSchedule]:
        """List what is to be looked at, the one that is due longest first.

        Args:
            now: what is due then is listed.
            worked_out_after: what was worked out later than this is listed too: a clock was wrong.
            limit: how many, at most.
        """
        ...

    def next_due(self) -> datetime | None:
        """Tell when the next one is due; None when there is none."""
        ...
