"""Downstream: a pipeline starts because a run has ended that it follows."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from lineshaft.definition import resolve_inputs
from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState, Outcome
from lineshaft.model.errors import (
    ExpressionError,
    InvalidInputError,
    LineshaftError,
    SecretsUnavailableError,
    SourceUnreachableError,
    StoreUnavailableError,
)
from lineshaft.model.origin import Origin
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.run import Run
from lineshaft.model.trigger import UpstreamTrigger
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import OutboxEntry, Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.new_run import NewRun, first_said
from lineshaft.services.progress import Progress, Started
from lineshaft.services.sources.basis import Basis
from lineshaft.services.sources.following import rendered, shared_source, trigger_of, why_not_started
from lineshaft.services.sources.sentences import told
from lineshaft.services.sources.shared_basis import SharedBasis
from lineshaft.telemetry.run_log import log_decisions, log_scheduling, log_superseding

MOST_TRIES: Final = 10
"""How often a repository that does not answer is asked, over about a quarter of an hour."""

_EVENT: Final = "run"


@dataclass(frozen=True, slots=True)
class _Turn:
    """A pipeline that is to start by the end of a run.

    Attributes:
        run: which has ended.
        upstream: its pipeline.
        follower: which is to start.
        trigger: what that one says of it.
        refusal: why it does not start, as far as that is known already; None where it does.
    """

    run: Run
    upstream: Pipeline
    follower: Pipeline
    trigger: UpstreamTrigger
    refusal: str | None


class _Changed:
    """The pipeline is another one than a basis was found for."""


class DownstreamService:
    """Starts what follows the ends of runs. Several processes may do so at once: one begins the run."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        *,
        progress: Progress,
        shared: SharedBasis,
    ) -> None:
        """Start.

        Args:
            store: where the state is.
            clock: tells the time.
            ids: makes ids.
            progress: starts runs.
            shared: finds out what they begin with.
        """
        self._store = store
        self._clock = clock
        self._ids = ids
        self._progress = progress
        self._shared = shared

    async def start(self, entry: OutboxEntry) -> None:
        """Start the pipeline that an entry of the kind `start_downstream` is about. Idempotent.

        Raises:
            SecretsUnavailableError: what signs in at its repository cannot be had now; try again.
            SourceUnreachableError: its repository does not answer; try again.
            StoreUnavailableError: the database does not answer.
        """
        run_id, pipeline_id = UUID(entry.payload["run_id"]), UUID(entry.payload["pipeline_id"])
        while True:
            turn = await self._store.read(partial(_turn, run_id=run_id, pipeline_id=pipeline_id))
            if turn is None:
                return
            basis = turn.refusal or await self._basis(turn, last=entry.tries + 1 >= MOST_TRIES)
            started = await self._store.write(partial(self._begin, turn=turn, basis=basis))
            if not isinstance(started, _Changed):
                break
        if started is not None:
            log_scheduling()
            for earlier in started.superseded:
                log_superseding(earlier)
            log_decisions(started.decisions)

    async def _basis(self, turn: _Turn, *, last: bool) -> Basis | str:
        """Find out what the run begins with; or why it cannot.

        Args:
            turn: whose.
            last: whether it is not tried again where something does not answer.
        """
        try:
            return await self._shared.find(turn.run, turn.follower)
        except (SourceUnreachableError, SecretsUnavailableError) as error:
            if not last:
                raise
            return told(error)
        except StoreUnavailableError:
            raise
        except LineshaftError as error:
            return told(error)

    def _begin(self, transaction: Transaction, turn: _Turn, basis: Basis | str) -> Started | _Changed | None:
        """Start the run and note that, or why there is none; once, whoever else does so."""
        follower = turn.follower
        transaction.pipelines.hold(follower.id)
        current = _turn(transaction, turn.run.id, follower.id)
        if current is None:
            return None
        if not _is_same(follower, current.follower):
            return _Changed()
        now = self._clock.now()
        delivery = _delivery(self._ids.new_id(), current, now)
        if transaction.deliveries.add(delivery).id != delivery.id:
            return None
        planned = current.refusal or basis
        if isinstance(planned, Basis):
            return self._started(transaction, current, planned, delivery, now)
        _note(transaction, delivery, current, None, planned)
        return None

    def _started(
        self, transaction: Transaction, turn: _Turn, basis: Basis, delivery: Delivery, now: datetime
    ) -> Started | None:
        try:
            new = _new_run(turn, basis, delivery.id)
            transaction.keep_definition(new.definition)
            started = self._progress.start(transaction, new, now)
        except (InvalidInputError, ExpressionError) as error:
            _note(transaction, delivery, turn, None, told(error))
            return None
        run = started.run
        reason = run.root.reason if run.state.ended else None
        _note(transaction, delivery, turn, run.id, "" if reason is None else reason.text)
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=INSIDE_ACTOR,
            action=Action.RUN_STARTED,
            target=run.id,
            pipeline_id=turn.follower.id,
            pipeline=turn.follower.name,
            number=run.number,
            delivery=str(delivery.id),
            upstream=str(turn.run.id),
        )
        return started


def _turn(transaction: Transaction, run_id: UUID, pipeline_id: UUID) -> _Turn | None:
    """Look at what is to be done; None where it is not to be done any more."""
    run, follower = transaction.runs.get(run_id), transaction.pipelines.get(pipeline_id)
    upstream = None if run is None else transaction.pipelines.get(run.pipeline_id)
    if run is None or follower is None or upstream is None:
        return None
    trigger = trigger_of(follower, upstream.name, run.state)
    if trigger is None:
        return None
    refusal = why_not_started(transaction, run, upstream, follower)
    return _Turn(run, upstream, follower, trigger, refusal)


def _is_same(one: Pipeline, other: Pipeline) -> bool:
    return (one.definition.hash, one.config_file) == (other.definition.hash, other.config_file)


def _delivery(new_id: UUID, turn: _Turn, now: datetime) -> Delivery:
    return Delivery(
        id=new_id,
        source=DeliverySource.UPSTREAM,
        connection="",
        remote_id=f"{turn.run.id}/{turn.follower.id}",
        event=_EVENT,
        received_at=now,
        state=DeliveryState.HANDLED,
        handled_at=now,
        pipeline_id=turn.follower.id,
    )


def _note(transaction: Transaction, delivery: Delivery, turn: _Turn, run_id: UUID | None, text: str) -> None:
    outcome = Outcome(turn.follower.id, turn.follower.name, run_id, text)
    transaction.deliveries.note(delivery, [outcome], None)


def _new_run(turn: _Turn, basis: Basis, delivery_id: UUID) -> NewRun:
    """Say what the run is made of.

    Raises:
        ExpressionError: what it is to be given cannot be evaluated.
        InvalidInputError: it is not what the pipeline asks for.
    """
    run, definition = turn.run, basis.definition
    return NewRun(
        pipeline_id=turn.follower.id,
        definition=definition,
        source=basis.source,
        inputs=resolve_inputs(definition, rendered(turn.trigger, run, turn.upstream)),
        cause=Cause.UPSTREAM,
        priority=first_said(definition.priority, run.priority),
        untrusted=run.untrusted,
        origin=_origin(run, delivery_id, shares=shared_source(run, turn.follower) is not None),
    )


def _origin(run: Run, delivery_id: UUID, *, shares: bool) -> Origin:
    """Say where a run comes from: what started the one before is told of it, too.

    Args:
        run: which has ended.
        delivery_id: by which the new one starts.
        shares: whether both work on one repository, of which a number of a pull request is one.
    """
    if not shares:
        return Origin(delivery_id, run.origin.actor, run.origin.url, upstream=run.id)
    return replace(run.origin, delivery=delivery_id, statuses=None, upstream=run.id)
