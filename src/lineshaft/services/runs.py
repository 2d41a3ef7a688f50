"""Runs: trigger, read, follow, cancel, retry."""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lineshaft.engine.decision import Decision
from lineshaft.model.definition import Definition
from lineshaft.model.errors import RunEndedError, RunNotEndedError, ServerError
from lineshaft.model.event import CancelRequested, RunEvent
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run, Source, waiting_nodes
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.ports.wakeups import run_topic
from lineshaft.services.pipelines import find_pipeline
from lineshaft.services.progress import apply, begin_next_run, find_run
from lineshaft.telemetry.run_log import log_decisions, log_scheduling, log_superseding

LOOK_AGAIN: Final = timedelta(seconds=15)
"""How long a follower waits for a wake-up before it looks at the database by itself."""

_EVENT_PAGE: Final = 500

_Creation = Callable[[Transaction], tuple[Run, list[Run], list[Decision]]]


class RunService:
    """The use cases of runs."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def trigger(self, pipeline_id: UUID) -> Run:
        """Start a run of a pipeline; it supersedes the one before and begins when that has truly stopped.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """

        def work(transaction: Transaction) -> tuple[Run, list[Run], list[Decision]]:
            definition = find_pipeline(transaction, pipeline_id).definition
            source = None if definition.repository is None else Source(definition.repository)
            return self._create(transaction, pipeline_id, definition, source, retry_of=None)

        return await self._start(work)

    async def retry(self, run_id: UUID) -> Run:
        """Start a run like one that has ended: the same definition and source revision.

        Raises:
            RunNotFoundError: there is no such run.
            RunNotEndedError: it is still going.
            PipelineNotFoundError: its pipeline was deleted.
        """

        def work(transaction: Transaction) -> tuple[Run, list[Run], list[Decision]]:
            run = find_run(transaction, run_id)
            if not run.state.ended:
                raise RunNotEndedError(
                    f"Run {run.number} is still {run.state.value}.",
                    advice="Cancel it first, or wait until it has ended.",
                )
            find_pipeline(transaction, run.pipeline_id)
            definition = transaction.definition(run.definition_hash)
            if definition is None:
                raise ServerError("The run's definition is gone.", status=500)
            return self._create(transaction, run.pipeline_id, definition, run.source, retry_of=run_id)

        return await self._start(work)

    async def get(self, run_id: UUID) -> Run:
        """Find a run.

        Raises:
            RunNotFoundError: there is none of that id.
        """
        recent = self._store.recent(run_id)
        if recent is not None:
            return recent
        return await self._store.read(lambda transaction: find_run(transaction, run_id))

    async def page(self, pipeline_id: UUID, *, before: int | None, limit: int) -> Sequence[Run]:
        """List a pipeline's runs, newest first, with numbers below `before`.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """

        def work(transaction: Transaction) -> Sequence[Run]:
            find_pipeline(transaction, pipeline_id)
            return transaction.runs.page(pipeline_id, before=before, limit=limit)

        return await self._store.read(work)

    async def cancel(self, run_id: UUID) -> Run:
        """Ask a run to stop; what has not begun ends at once, what runs is stopped by its worker.

        Raises:
            RunNotFoundError: there is no such run.
            RunEndedError: it has ended.
        """
        reason = Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run.")

        def work(transaction: Transaction) -> tuple[Run, list[Decision]]:
            run = find_run(transaction, run_id)
            if run.state.ended:
                raise RunEndedError(
                    f"Run {run.number} has ended: it {run.state.value}.",
                    advice="There is nothing left to cancel.",
                )
            decisions = apply(transaction, run_id, CancelRequested(reason), self._clock.now())
            return find_run(transaction, run_id), decisions

        run, decisions = await self._store.write(work)
        log_decisions(decisions)
        return run

    async def follow(self, run_id: UUID, *, after: int = 0) -> AsyncGenerator[RunEvent | None, None]:
        """Go through a run's events as they come, from behind number `after`, until the run has ended.

        Yields:
            Each event once, in order; None now and then while nothing happens.

        Raises:
            RunNotFoundError: there is no such run.
        """
        with self._store.wakeups.listen(run_topic(run_id)) as listener:
            while True:
                events, ended = await self._events(run_id, after)
                for event in events:
                    yield event
                    after = event.number
                if ended and not events:
                    return
                if len(events) >= _EVENT_PAGE or ended:
                    continue
                if not await listener.wait(LOOK_AGAIN):
                    yield None

    async def _events(self, run_id: UUID, after: int) -> tuple[Sequence[RunEvent], bool]:
        """List events behind a number, and tell whether the run had ended before they were listed."""
        run = self._store.recent(run_id)
        events = None if run is None else self._store.recent_events(run_id, after)
        if run is None or events is None:
            return await self._store.read(_reading(run_id, after))
        return events, run.state.ended

    async def _start(self, work: _Creation) -> Run:
        run, superseded, decisions = await self._store.write(work)
        log_scheduling()
        for earlier in superseded:
            log_superseding(earlier)
        log_decisions(decisions)
        return run

    def _create(
        self,
        transaction: Transaction,
        pipeline_id: UUID,
        definition: Definition,
        source: Source | None,
        *,
        retry_of: UUID | None,
    ) -> tuple[Run, list[Run], list[Decision]]:
        now = self._clock.now()
        superseded, decisions = _supersede(transaction, pipeline_id, now)
        run = Run(
            id=self._ids.new_id(),
            pipeline_id=pipeline_id,
            number=transaction.pipelines.next_run_number(pipeline_id),
            definition_hash=definition.hash,
            tree=definition.tree,
            source=source,
            created_at=now,
            nodes=waiting_nodes(definition.tree),
            retry_of=retry_of,
        )
        transaction.runs.create(run)
        decisions += begin_next_run(transaction, pipeline_id, now)
        return find_run(transaction, run.id), superseded, decisions


def _supersede(
    transaction: Transaction, pipeline_id: UUID, now: datetime
) -> tuple[list[Run], list[Decision]]:
    reason = Reason(ReasonCode.SUPERSEDED, "The pipeline was triggered again.")
    superseded: list[Run] = []
    decisions: list[Decision] = []
    # The newest first: when the one that goes ends, none that waits for it is left to begin.
    for run in reversed(transaction.runs.unended(pipeline_id)):
        if run.cancel_reason is None:
            superseded.append(run)
        decisions += apply(transaction, run.id, CancelRequested(reason), now)
    return superseded, decisions


def _reading(run_id: UUID, after: int) -> Callable[[Transaction], tuple[Sequence[RunEvent], bool]]:
    def work(transaction: Transaction) -> tuple[Sequence[RunEvent], bool]:
        ended = find_run(transaction, run_id).state.ended
        return transaction.runs.events(run_id, after=after, limit=_EVENT_PAGE), ended

    return work
