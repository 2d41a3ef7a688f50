"""The schedules of pipelines: when each is due next, and what came of it last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class KeptSchedule:
    """One schedule of a pipeline as it stands.

    Attributes:
        pipeline_id: whose.
        position: which of the pipeline's schedules, from 0.
        cron: five fields of cron.
        timezone: whose clock they mean.
        next_at: when the pipeline starts next; None where that never comes, or is yet to be worked out.
        worked_out_at: when `next_at` was worked out, by the clock of the server that did.
        last_at: the last of its times for which a run was to begin; None before the first.
        last_run: the run that began then; None where none did. It may have been removed since.
        last_refusal: why none did; None where one did.
    """

    pipeline_id: UUID
    position: int
    cron: str
    timezone: str
    next_at: datetime | None
    worked_out_at: datetime
    last_at: datetime | None = None
    last_run: UUID | None = None
    last_refusal: str | None = None


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
