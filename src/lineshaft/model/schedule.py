"""Schedules: the times at which a pipeline starts by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from lineshaft.model.value import Value

DEFAULT_TIMEZONE: Final = "UTC"
"""Whose clock a schedule means that names none."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Times at which a pipeline starts.

    Attributes:
        cron: five fields of cron.
        timezone: whose clock they mean, as the IANA's database names it.
        inputs: what a run of it is given.
    """

    cron: str
    timezone: str = DEFAULT_TIMEZONE
    inputs: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptSchedule:
    """One schedule of a pipeline as it stands: when it is due next, and what came of it last.

    Attributes:
        pipeline_id: whose.
        position: which of the pipeline's schedules, from 0.
        cron: five fields of cron.
        timezone: whose clock they mean.
        next_at: when the pipeline starts next; None where that never comes, or is yet to be worked out.
        worked_out_at: when `next_at` was worked out, by the clock of the server that did.
        last_at: the last of its times for which a run was to begin; None before the first.
        last_run: the run that began then; None where none did. It may have been removed since.
        last_refusal: why none did, or why it ended at once; None where it began.
        owed_at: the time for which a run is still to begin, once its repository has answered; None where none
            is. `next_at` is when that is tried again.
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
    owed_at: datetime | None = None
