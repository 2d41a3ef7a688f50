"""Reports: how runs and their nodes have ended, and how long they took."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lineshaft.model.state import State


@dataclass(frozen=True, slots=True)
class Trip:
    """What one run, or one node of one run, has come to.

    Attributes:
        state: where it stands.
        started_at: when it began; None where it has not.
        ended_at: when it ended; None where it has not.
        losses: how many attempts of the node were lost; None where it is about a whole run.
    """

    state: State
    started_at: datetime | None
    ended_at: datetime | None
    losses: int | None = None


@dataclass(frozen=True, slots=True)
class RunTrip:
    """What one run has come to.

    Attributes:
        number: the run's in its pipeline.
        definition_hash: of what it ran.
        trip: how it went.
    """

    number: int
    definition_hash: str
    trip: Trip


@dataclass(frozen=True, slots=True)
class Summary:
    """What several trips have come to.

    Attributes:
        count: how many there are.
        states: how many are in which state.
        success_rate: which part of those that ran to an end succeeded, from 0 to 1; None where none did.
        seconds: the durations of those that ran to an end, ascending.
        first_at: when the first began.
        last_at: when the last ended.
        losses: how many attempts were lost in them, with or by their workers; None where they are whole runs.
    """

    count: int
    states: Mapping[State, int]
    success_rate: float | None
    seconds: tuple[float, ...]
    first_at: datetime | None
    last_at: datetime | None
    losses: int | None = None


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """What a report tells of one pipeline, or of one node of it.

    Attributes:
        pipeline_id: the pipeline's.
        pipeline: its name.
        repository: where its source is; None for a freestyle pipeline.
        run: the number of the one run that it is about; None where it is about several.
        path: the node's; empty where it is about whole runs.
        summary: what the trips have come to.
    """

    pipeline_id: UUID
    pipeline: str
    repository: str | None
    run: int | None
    path: str
    summary: Summary
