"""Reports: how the last runs of pipelines, and their nodes, have ended, and how long they took."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lineshaft.model.errors import NodeNotFoundError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.report import ReportEntry, RunTrip, Summary, Trip
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from lineshaft.ports.store import Store, Transaction

DEFAULT_RUNS: Final = 100
"""How many of a pipeline's last runs a report looks at, unless it is asked for others."""

MOST_RUNS: Final = 1_000
"""How many of a pipeline's last runs a report looks at, at most."""

_MOST_NODES: Final = 100
"""How many nodes a stage's report tells of, at most."""

_PAGE: Final = 200
_RAN: Final = frozenset({State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.CANCELLED})
"""What tells something of the work; a loss tells of workers."""

Position = tuple[str, UUID]
"""Behind which pipeline a page begins: its name and id."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a report is to be about; what is not said is not asked for.

    Attributes:
        repository: only pipelines with this repository.
        pipeline: only those with this name, or the one with this id.
        run: only the run with this number.
        stage: a node at the top: it, and all that is directly in it.
        job: the path of a node.
        runs: how many of each pipeline's last runs count.
        visible: the ids of the pipelines that it may tell of; None means all.
    """

    repository: str | None = None
    pipeline: str | UUID | None = None
    run: int | None = None
    stage: str | None = None
    job: str | None = None
    runs: int = DEFAULT_RUNS
    visible: frozenset[UUID] | None = None


class ReportService:
    """The use cases of reports."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, request: ReportRequest, *, after: Position | None, limit: int
    ) -> tuple[Sequence[ReportEntry], Position | None]:
        """Report on pipelines by name, then id, from behind `after`.

        A pipeline has an entry for its runs. One that was asked for by name, and each where a run was asked
        for, has entries for its stages as well; where a stage or a job was asked for, only for that.

        Args:
            request: what it is to be about.
            after: where the page begins.
            limit: how many pipelines it tells of, at most.

        Returns:
            The entries, and where the next page begins; None behind the last.

        Raises:
            NodeNotFoundError: no pipeline has such a stage or job.
        """

        def work(transaction: Transaction) -> tuple[Sequence[ReportEntry], Position | None]:
            found = list(_first(_pipelines(transaction, request, after), limit + 1))
            entries = [entry for each in found[:limit] for entry in _entries(transaction, each, request)]
            last = found[limit - 1] if len(found) > limit else None
            if not entries and last is None and after is None:
                _refuse_unknown(request)
            return entries, None if last is None else (last.name, last.id)

        return await self._store.read(work)


def _refuse_unknown(request: ReportRequest) -> None:
    path = request.job or request.stage
    if path is not None:
        raise NodeNotFoundError(
            f"No run that counts has a node '{path}'.",
            advice="Ask for a path as `lineshaft show` tells it.",
        )


def _pipelines(
    transaction: Transaction, request: ReportRequest, after: Position | None
) -> Iterator[Pipeline]:
    if isinstance(request.pipeline, UUID):
        may_be_told = request.visible is None or request.pipeline in request.visible
        pipeline = transaction.pipelines.get(request.pipeline) if may_be_told else None
        if pipeline is not None and _fits(pipeline, request):
            yield pipeline
        return
    while True:
        page = transaction.pipelines.page(
            name=request.pipeline, after=after, limit=_PAGE, visible=request.visible
        )
        yield from (pipeline for pipeline in page if _fits(pipeline, request))
        if len(page) < _PAGE:
            return
        after = page[-1].name, page[-1].id


def _fits(pipeline: Pipeline, request: ReportRequest) -> bool:
    return request.repository is None or pipeline.definition.repository == request.repository


def _first(pipelines: Iterator[Pipeline], count: int) -> Iterator[Pipeline]:
    for _, pipeline in zip(range(count), pipelines, strict=False):
        yield pipeline


def _entries(transaction: Transaction, pipeline: Pipeline, request: ReportRequest) -> Iterator[ReportEntry]:
    runs = transaction.reports.runs(pipeline.id, number=request.run, limit=request.runs)
    if not runs:
        return

    def entry(path: str, trips: Iterable[Trip]) -> ReportEntry:
        repository = pipeline.definition.repository
        return ReportEntry(pipeline.id, pipeline.name, repository, request.run, path, summed_up(trips))

    if request.stage is None and request.job is None:
        yield entry("", (run.trip for run in runs))
        if request.pipeline is None and request.run is None:
            return
    for path, trips in _trips_by_path(transaction, pipeline, request, runs).items():
        yield entry(path, trips)


def _trips_by_path(
    transaction: Transaction, pipeline: Pipeline, request: ReportRequest, runs: Sequence[RunTrip]
) -> dict[str, list[Trip]]:
    """List what the nodes in question have come to; runs of different definitions meet in the path."""
    numbers = runs[-1].number, runs[0].number
    trips: defaultdict[str, list[Trip]] = defaultdict(list)
    for definition_hash in dict.fromkeys(run.definition_hash for run in runs):
        definition = transaction.definition(definition_hash)
        if definition is None:
            continue
        indexes = _indexes(definition.tree, request)
        for index, trip in transaction.reports.nodes(pipeline.id, definition_hash, numbers, indexes):
            trips[definition.tree[index].path].append(trip)
    return trips


def _indexes(tree: Tree, request: ReportRequest) -> Sequence[int]:
    if request.job is not None:
        place = tree.find(request.job)
        return [] if place is None or place.index == ROOT else [place.index]
    if request.stage is None:
        return tree[ROOT].below[:_MOST_NODES]
    stage = tree.find(request.stage)
    if stage is None or stage.parent != ROOT:
        return []
    return [stage.index, *stage.below[:_MOST_NODES]]


def summed_up(trips: Iterable[Trip]) -> Summary:
    """Sum trips up."""
    states: Counter[State] = Counter()
    seconds: list[float] = []
    started, ended, losses = [], [], []
    for trip in trips:
        states[trip.state] += 1
        if trip.started_at is not None:
            started.append(trip.started_at)
        if trip.ended_at is not None:
            ended.append(trip.ended_at)
        if trip.losses is not None:
            losses.append(trip.losses)
        if trip.state in _RAN and trip.started_at is not None and trip.ended_at is not None:
            seconds.append((trip.ended_at - trip.started_at).total_seconds())
    ran = sum(count for state, count in states.items() if state in _RAN)
    return Summary(
        count=states.total(),
        states=states,
        success_rate=states[State.SUCCEEDED] / ran if ran else None,
        seconds=tuple(sorted(seconds)),
        first_at=min(started, default=None),
        last_at=max(ended, default=None),
        losses=sum(losses) if losses else None,
    )
