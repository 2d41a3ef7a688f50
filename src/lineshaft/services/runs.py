"""Runs: trigger, read, follow, cancel, retry."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from lineshaft.definition import resolve_inputs
from lineshaft.engine.decision import Decision
from lineshaft.engine.explain import Explanation, explain
from lineshaft.engine.starting import kept_nodes, selected_nodes
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidInputError, RunEndedError, RunNotEndedError, SecretsUnavailableError
from lineshaft.model.event import CancelRequested, RunEvent
from lineshaft.model.node import Task
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import Wanted
from lineshaft.model.state import State
from lineshaft.model.work import PipelineWork
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import OutboxEntry, Store, Transaction
from lineshaft.ports.wakeups import run_topic
from lineshaft.services.auditing import record
from lineshaft.services.finding import definition_of, find_place, find_run
from lineshaft.services.fleet.placing import Placing
from lineshaft.services.new_run import HELD_ON_REQUEST, NEVER_APPROVED, NewRun, Prepare, first_said
from lineshaft.services.pipelines import Check, find_pipeline, refuse_relay
from lineshaft.services.progress import Progress, Started
from lineshaft.services.run_request import NOTHING_SPECIAL, RunRequest
from lineshaft.services.secrets.wanted import secrets_of, unavailable_reason
from lineshaft.services.sources.basis import Basis, basis_of
from lineshaft.services.sources.reading import SourceReader
from lineshaft.telemetry.run_log import log_decisions, log_scheduling, log_superseding

LOOK_AGAIN: Final = timedelta(seconds=15)
"""How long a follower waits for a wake-up before it looks at the database by itself."""

_EVENT_PAGE: Final = 500


class RunService:
    """The use cases of runs."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        progress: Progress,
        check: Check,
        placing: Placing,
        *,
        ids: Ids,
        secrets: SecretStore,
        reader: SourceReader,
    ) -> None:
        self._reader = reader
        self._secrets = secrets
        self._store = store
        self._placing = placing
        self._clock = clock
        self._ids = ids
        self._progress = progress
        self._check = check

    async def trigger(
        self, pipeline_id: UUID, request: RunRequest = NOTHING_SPECIAL, *, by: Actor = INSIDE_ACTOR
    ) -> Run:
        """Start a run of a pipeline; its concurrency says what that means for the runs before it.

        Args:
            pipeline_id: the pipeline's id.
            request: what it is to be started with.
            by: who wants it.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
            InvalidDefinitionError: the overrides make no sense, or the pipeline's file cannot be read at that
                commit.
            InvalidInputError: the inputs are not what the pipeline asks for, or it is to be held and no
                commit is said.
            NodeNotFoundError: it has no such node to run, or to begin from.
            PipelineManagedError: it is the server's own.
            SourceRefusedError: the pipeline is kept in a repository that has no such ref, or is not allowed.
            SourceUnreachableError: the pipeline is kept in a repository that does not answer.
        """
        basis = None
        if request.overrides:
            # Read here, since a transaction holds up others.
            basis = await self._basis(await self._pipeline(pipeline_id), request)
        outcome = await self._store.write(partial(self._begin, pipeline_id, request, by, basis))
        while isinstance(outcome, Pipeline):
            basis = await self._basis(outcome, request)
            outcome = await self._store.write(partial(self._begin, pipeline_id, request, by, basis))
        return _told(outcome)

    def _begin(
        self, pipeline_id: UUID, request: RunRequest, by: Actor, basis: Basis | None, transaction: Transaction
    ) -> Started | Pipeline:
        """Begin a run; or return its pipeline, where a basis is to be found for that first."""
        pipeline = find_pipeline(transaction, pipeline_id)
        refuse_relay(pipeline)
        if basis is None and pipeline.config_file is None:
            basis = Basis.here(pipeline, request)
        elif basis is None or not basis.fits(pipeline):
            return pipeline
        else:
            transaction.keep_definition(basis.definition)
        definition = basis.definition
        new = NewRun(
            pipeline_id=pipeline_id,
            definition=definition,
            source=basis.source,
            inputs=resolve_inputs(definition, request.inputs),
            cause=request.cause,
            priority=first_said(request.priority, definition.priority),
            untrusted=request.untrusted,
            held=HELD_ON_REQUEST if request.hold else "",
        )
        if request.hold:
            _check_commit(new)
        if request.only or request.from_ is not None:
            new = replace(new, prepare=_selecting(request))
        now = self._clock.now()
        started = self._progress.start(transaction, new, now)
        changed = [path for path, _ in request.overrides]
        said = {"ref": request.ref, "overrides": changed or None}
        self._record(transaction, by, Action.RUN_STARTED, started.run, now, **said)
        return started

    async def _basis(self, pipeline: Pipeline, request: RunRequest) -> Basis:
        basis = await basis_of(self._reader, pipeline, request)
        self._check(basis.definition)
        return basis

    async def _pipeline(self, pipeline_id: UUID) -> Pipeline:
        return await self._store.read(lambda transaction: find_pipeline(transaction, pipeline_id))

    async def check_pipeline(self, pipeline_id: UUID) -> None:
        """See whether a pipeline is there.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """
        await self._pipeline(pipeline_id)

    async def retry(self, run_id: UUID, *, from_failed: bool = False, by: Actor = INSIDE_ACTOR) -> Run:
        """Start a run like one that has ended: the same definition, source revision and inputs.

        What was approved stays approved, and what nobody has approved is held again.

        Args:
            run_id: of the run that has ended.
            from_failed: whether nodes that succeeded keep their results and do not run again.
            by: who wants it.

        Raises:
            RunNotFoundError: there is no such run.
            RunNotEndedError: it is still going.
            PipelineNotFoundError: its pipeline was deleted.
        """

        def work(transaction: Transaction) -> Started:
            run = find_run(transaction, run_id)
            if not run.state.ended:
                raise RunNotEndedError(
                    f"Run {run.number} is still {run.state.value}.",
                    advice="Cancel it first, or wait until it has ended.",
                )
            find_pipeline(transaction, run.pipeline_id)
            new = NewRun(
                pipeline_id=run.pipeline_id,
                definition=definition_of(transaction, run),
                source=run.source,
                inputs=run.inputs,
                cause=Cause.RETRY,
                priority=run.priority,
                retry_of=run_id,
                untrusted=run.untrusted,
                origin=run.origin,
                held=NEVER_APPROVED if run.held else "",
                approved_by=run.approved_by,
                subject=run.subject,
            )
            if from_failed:
                new = replace(new, prepare=_keeping(run))
            now = self._clock.now()
            started = self._progress.start(transaction, new, now)
            self._record(transaction, by, Action.RUN_RETRIED, started.run, now, retry_of=str(run_id))
            return started

        return await self._start(work)

    async def get(self, run_id: UUID, *, events: int = 0) -> Run:
        """Find a run.

        Args:
            run_id: its id.
            events: how many events of it are known already, which it is to have at least: the database may
                tell them a moment before the process remembers the run that they made.

        Raises:
            RunNotFoundError: there is none of that id.
        """
        recent = self._store.recent(run_id)
        if recent is not None and recent.event_count >= events:
            return recent
        return await self._store.read(lambda transaction: find_run(transaction, run_id))

    async def definition(self, run_id: UUID) -> Definition:
        """Find the definition that a run runs, as it was when the run was made.

        Raises:
            RunNotFoundError: there is no such run.
        """

        def work(transaction: Transaction) -> Definition:
            return definition_of(transaction, find_run(transaction, run_id))

        return await self._store.read(work)

    async def explain(self, run_id: UUID, path: str) -> tuple[Explanation, UUID | None]:
        """Tell all that is known of why a node is in its state, and which run stands for it, if one does.

        Raises:
            RunNotFoundError: there is no such run.
            NodeNotFoundError: the run has no such node.
        """

        def work(transaction: Transaction) -> tuple[Explanation, UUID | None]:
            run = find_run(transaction, run_id)
            place = find_place(run, path)
            child = None
            if isinstance(place.node, Task) and isinstance(place.node.work, PipelineWork):
                attempt = run.nodes[place.index].attempt
                child = transaction.runs.child(AttemptAddress(run_id, place.index, attempt))
            waits_for = self._placing.of(transaction, run, place.index, self._clock.now())
            return replace(explain(run, place.index), placement=waits_for), child

        return await self._store.read(work)

    async def page(self, pipeline_id: UUID, *, before: int | None, limit: int) -> Sequence[Run]:
        """List a pipeline's runs, newest first, with numbers below `before`.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """

        def work(transaction: Transaction) -> Sequence[Run]:
            find_pipeline(transaction, pipeline_id)
            return transaction.runs.page(pipeline_id, before=before, limit=limit)

        return await self._store.read(work)

    async def cancel(self, run_id: UUID, *, by: Actor = INSIDE_ACTOR) -> Run:
        """Ask a run to stop; what has not begun ends at once, what runs is stopped by its worker.

        Args:
            run_id: its id.
            by: who wants it.

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
            now = self._clock.now()
            decisions = self._progress.apply(transaction, run_id, CancelRequested(reason), now)
            self._record(transaction, by, Action.RUN_CANCELLED, run, now)
            return find_run(transaction, run_id), decisions

        run, decisions = await self._store.write(work)
        log_decisions(decisions)
        return run

    def _record(
        self,
        transaction: Transaction,
        by: Actor,
        action: Action,
        run: Run,
        now: datetime,
        **more: str | list[str] | None,
    ) -> None:
        said = {name: value for name, value in more.items() if value is not None}
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=by,
            action=action,
            target=run.id,
            pipeline_id=run.pipeline_id,
            pipeline=run.tree.root.name,
            number=run.number,
            **said,
        )

    async def look_for_secrets(self, entry: OutboxEntry) -> None:
        """Begin a run once its secrets are found wherever they are, or refuse it. Idempotent."""
        run = await self._store.read(lambda transaction: transaction.runs.get(UUID(entry.payload["run_id"])))
        if run is None or run.state is not State.WAITING:
            return
        wanted = secrets_of(run)
        found: frozenset[Wanted] | Reason
        try:
            found = wanted - await self._secrets.missing(tuple(wanted))
        except SecretsUnavailableError as error:
            found = unavailable_reason(error)
        now = self._clock.now()
        log_decisions(
            await self._store.write(lambda transaction: self._progress.begin(transaction, run.id, found, now))
        )

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

    async def _start(self, work: Callable[[Transaction], Started]) -> Run:
        return _told(await self._store.write(work))


def _told(started: Started) -> Run:
    log_scheduling()
    for earlier in started.superseded:
        log_superseding(earlier)
    log_decisions(started.decisions)
    return started.run


def _check_commit(new: NewRun) -> None:
    """See whether a run can be approved, since an approval is for a commit.

    Raises:
        InvalidInputError: it works on none that is known.
    """
    if not new.origin.head_commit and (new.source is None or new.source.commit is None):
        raise InvalidInputError(
            "A run that is held needs a commit, because an approval is for one commit alone.",
            advice="Say the full commit id in `ref`.",
        )


def _selecting(request: RunRequest) -> Prepare:
    def prepare(run: Run) -> Run:
        return replace(run, nodes=selected_nodes(run.tree, request.only, request.from_))

    return prepare


def _keeping(earlier: Run) -> Prepare:
    def prepare(run: Run) -> Run:
        start = kept_nodes(earlier)
        return replace(
            run, tree=start.tree, nodes=start.nodes, generated=start.generated, outputs=start.outputs
        )

    return prepare


def _reading(run_id: UUID, after: int) -> Callable[[Transaction], tuple[Sequence[RunEvent], bool]]:
    def work(transaction: Transaction) -> tuple[Sequence[RunEvent], bool]:
        ended = find_run(transaction, run_id).state.ended
        return transaction.runs.events(run_id, after=after, limit=_EVENT_PAGE), ended

    return work
