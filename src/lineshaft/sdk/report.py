"""Reports, as the API tells them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from lineshaft.sdk.run import instant


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What a report is to be about; what is not said is not asked for.

    Attributes:
        repository: only pipelines with this repository.
        pipeline: only those with this name, or the one with this id.
        run: only the run with this number.
        stage: a node at the top, which is told with all that is directly in it.
        job: the path of a node.
        runs: how many of each pipeline's last runs are looked at, at most.
    """

    repository: str | None = None
    pipeline: str | None = None
    run: int | None = None
    stage: str | None = None
    job: str | None = None
    runs: int | None = None

    def parameters(self) -> dict[str, str]:
        """Say it as the parameters of the address."""
        given = {
            "repository": self.repository,
            "pipeline": self.pipeline,
            "run": self.run,
            "stage": self.stage,
            "job": self.job,
            "runs": self.runs,
        }
        return {name: str(value) for name, value in given.items() if value is not None}


EVERYTHING: Final = ReportQuery()
"""A report on all pipelines."""


@dataclass(frozen=True, slots=True)
class Durations:
    """How long runs or nodes have taken that ended.

    Attributes:
        min_seconds: the shortest; None where none has ended.
        median_seconds: the middle one.
        mean_seconds: the mean.
        max_seconds: the longest.
    """

    min_seconds: float | None
    median_seconds: float | None
    mean_seconds: float | None
    max_seconds: float | None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(document["min"], document["median"], document["mean"], document["max"])


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """What a report tells of one pipeline, run, stage or job.

    Attributes:
        pipeline_id: the pipeline's.
        pipeline: its name.
        repository: where its source is.
        run: the run's number, of a report that lists runs.
        path: of a stage or job; empty where the entry is about runs.
        count: how many runs, or trips of the node, it is about.
        states: how many of them are in which state.
        success_rate: which part of those that ended and were not skipped succeeded, from 0 to 1.
        losses: how many attempts of the node were lost, with their workers or by them; None of an entry about
            runs.
        durations: how long they took.
        first_at: when the first of them began.
        last_at: when the last of them ended.
        document: the JSON that this was read from.
    """

    pipeline_id: UUID
    pipeline: str
    repository: str | None
    run: int | None
    path: str
    count: int
    states: Mapping[str, int]
    success_rate: float | None
    losses: int | None
    durations: Durations
    first_at: datetime | None
    last_at: datetime | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            pipeline_id=UUID(document["pipeline_id"]),
            pipeline=document["pipeline"],
            repository=document["repository"],
            run=document["run"],
            path=document["path"],
            count=document["count"],
            states=dict(document["states"]),
            success_rate=document["success_rate"],
            losses=document.get("losses"),
            durations=Durations.from_document(document["seconds"]),
            first_at=instant(document["first_at"]),
            last_at=instant(document["last_at"]),
            document=document,
        )
