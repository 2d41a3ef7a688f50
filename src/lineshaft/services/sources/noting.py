"""Noting: runs are started and what has come of a delivery is written, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, assert_never
from uuid import UUID

from lineshaft.engine.decision import Decision
from lineshaft.model.audit_entry import Action
from lineshaft.model.change import Change, ChangeKind
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState, Outcome
from lineshaft.model.errors import ExpressionError, InvalidInputError
from lineshaft.model.event import CancelRequested
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.progress import Progress, Started
from lineshaft.services.sources.outdating import Outdating, outdated, outdating_reason, told_since
from lineshaft.services.sources.preparing import Nothing, Prepared, Unreachable, Wish
from lineshaft.services.sources.sentences import told
from lineshaft.services.statuses.wanting import notice_status

LEASE: Final = timedelta(seconds=60)
"""After how long another process sees to a delivery, when the one that took it is gone."""

MOST_TRIES: Final = 10
"""How often what does not answer is asked, which is over about an hour."""

_FIRST_WAIT: Final = timedelta(seconds=7)
_REPEATED_WITHIN: Final = timedelta(minutes=10)
_LOOKED_BACK: Final = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about a delivery, for the pipelines of which nothing was written before.

    Attributes:
        delivery: as it stood when that began.
        prepared: what its changes mean, in order.
        kept: the pipelines whose own definitions may be other ones now.
        outdating: the pull requests that may have made it needless to approve runs.
        text: why nothing can come of it at all; empty where something can.
    """

    delivery: Delivery
    prepared: Sequence[Prepared] = ()
    kept: Sequence[Pipeline] = ()
    outdating: Sequence[Outdating] = ()
    text: str = ""


@dataclass(slots=True)
class Noted:
    """What was written of a delivery.

    Attributes:
        delivery: as it stands now.
        started: the runs that were started.
        cancelled: what was written of the runs that nobody need approve any more.
    """

    delivery: Delivery
    started: list[Started] = field(default_factory=list)
    cancelled: list[Decision] = field(default_factory=list)


class Noting:
    """Writes what has come of deliveries: exactly once, however many servers have found it out."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, progress: Progress) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._progress = progress

    async def note(self, found: Found) -> Noted | None:
        """Start the runs that are to be started, and write what has come of the delivery.

        Returns:
            None where another server has done it.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        return await self._store.write(partial(self._note, found=found))

    async def settle(self, delivery: Delivery, why: str) -> None:
        """Write that all of a delivery is done, or that it has to be tried again.

        Args:
            delivery: which.
            why: why it has to be tried again; empty where all is done.

        Raises:
            StoreUnavailableError: the database does not answer.
        """

        def work(transaction: Transaction) -> None:
            held = transaction.deliveries.hold(delivery.id)
            if held is not None and held.state is DeliveryState.RECEIVED:
                _settle(transaction, held, (), why, self._clock.now())

        await self._store.write(work)

    def _note(self, transaction: Transaction, found: Found) -> Noted | None:
        held = transaction.deliveries.hold(found.delivery.id)
        if held is None or (held.state, held.outcomes) != (DeliveryState.RECEIVED, found.delivery.outcomes):
            return None
        now = self._clock.now()
        cancelled = self._cancel_outdated(transaction, found, now)
        waiting = {each.pipeline.id: each for each in found.prepared if isinstance(each, Unreachable)}
        ready = [each for each in found.prepared if each.pipeline.id not in waiting]
        given_up = list(waiting.values()) if held.tries + 1 >= MOST_TRIES else []
        ended = [self._outcome(transaction, each, held, now) for each in (*ready, *given_up)]
        outcomes = [outcome for outcome, _ in ended]
        _have_shown(transaction, held, (*ready, *given_up), now)
        started = [run for _, run in ended if run is not None]
        if waiting:
            why = next(iter(waiting.values())).why
            delivery = _settle(transaction, held, outcomes, why, now)
        elif found.kept:
            # It is done with when their own definitions have been read, too.
            delivery = transaction.deliveries.note(replace(held, text=""), outcomes, now + LEASE)
        else:
            done = replace(held, state=DeliveryState.HANDLED, text=found.text, handled_at=now)
            delivery = transaction.deliveries.note(done, outcomes, None)
        return Noted(delivery, started, cancelled)

    def _cancel_outdated(self, transaction: Transaction, found: Found, now: datetime) -> list[Decision]:
        """Cancel what waits for the approval of something that is not there any more."""
        decisions: list[Decision] = []
        for each in found.outdating:
            # A run that another delivery has just made is seen behind this.
            transaction.pipelines.hold(each.pipeline.id)
            event = CancelRequested(outdating_reason(each.asked))
            for run in outdated(transaction, each, found.delivery, now):
                decisions += self._progress.apply(transaction, run.id, event, now)
        return decisions

    def _outcome(
        self, transaction: Transaction, prepared: Prepared, delivery: Delivery, now: datetime
    ) -> tuple[Outcome, Started | None]:
        match prepared:
            case Nothing(pipeline, why) | Unreachable(pipeline, why):
                return _nothing(pipeline, why), None
            case Wish():
                started = self._start(transaction, prepared, delivery, now)
                if isinstance(started, str):
                    return _nothing(prepared.pipeline, started), None
                pipeline = prepared.pipeline
                return Outcome(pipeline.id, pipeline.name, started.run.id, _what_of(started)), started
            case _:
                assert_never(prepared)

    def _start(
        self, transaction: Transaction, wish: Wish, delivery: Delivery, now: datetime
    ) -> Started | str:
        """Start a run, or tell why there is none."""
        pipeline, new = wish.pipeline, wish.new
        transaction.pipelines.hold(pipeline.id)
        if transaction.pipelines.get(pipeline.id) is None:
            return "The pipeline was deleted meanwhile."
        earlier = _told_before(transaction, wish, delivery)
        if earlier is not None:
            return f"The forge has told of the same change before, in the delivery {earlier}."
        later = told_since(transaction, new, delivery)
        if later is not None:
            return f"The pull request has changed since, or is over, of which the delivery {later} tells."
        transaction.keep_definition(new.definition)
        try:
            started = self._progress.start(transaction, new, now)
        except (InvalidInputError, ExpressionError) as error:
            return told(error)
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=INSIDE_ACTOR,
            action=Action.RUN_STARTED,
            target=started.run.id,
            pipeline_id=pipeline.id,
            pipeline=pipeline.name,
            number=started.run.number,
            delivery=str(delivery.id),
            forge_actor=new.origin.actor or None,
        )
        return started


def _have_shown(transaction: Transaction, held: Delivery, done: Sequence[Prepared], now: datetime) -> None:
    """Have forges show for which commits a run should have started, and could not; no run will do it."""
    for position, each in enumerate(done, len(held.outcomes)):
        if not isinstance(each, Wish) and each.notice is not None:
            status = notice_status(
                held.id, position, pipeline=each.pipeline.name, notice=each.notice, now=now
            )
            transaction.statuses.want_first(status)


def _settle(
    transaction: Transaction, held: Delivery, added: Sequence[Outcome], why: str, now: datetime
) -> Delivery:
    """Write what becomes of a delivery: it is done with, or tried again, or was tried too often.

    Args:
        transaction: in which it is held.
        held: as it stands.
        added: what else has come of it.
        why: why it is to be tried again; empty where all is done.
        now: when.
    """
    if not why:
        done = replace(held, state=DeliveryState.HANDLED, text="", handled_at=now)
        return transaction.deliveries.note(done, added, None)
    tried = replace(held, text=why, tries=held.tries + 1)
    if tried.tries >= MOST_TRIES:
        failed = replace(tried, state=DeliveryState.FAILED, handled_at=now)
        return transaction.deliveries.note(failed, added, None)
    return transaction.deliveries.note(tried, added, now + _FIRST_WAIT * 2**held.tries)


def _nothing(pipeline: Pipeline, why: str) -> Outcome:
    return Outcome(pipeline.id, pipeline.name, text=why)


def _told_before(transaction: Transaction, wish: Wish, delivery: Delivery) -> UUID | None:
    """Find a delivery that has just started a run for the very same change.

    A forge in which two webhooks lead here tells of each change twice, by ids of their own.
    """
    if delivery.redelivers is not None or delivery.source is DeliverySource.POLL:
        return None
    recent = transaction.deliveries.page(pipeline_id=wish.pipeline.id, limit=_LOOKED_BACK)
    for each in recent:
        if each.id == delivery.id or delivery.received_at - each.received_at > _REPEATED_WITHIN:
            continue
        there = [change for change in each.changes if _place(change) == _place(wish.change)]
        if there:
            ran = any(outcome.run_id and outcome.pipeline_id == wish.pipeline.id for outcome in each.outcomes)
            return each.id if ran and wish.change in there else None
    return None


def _place(change: Change) -> tuple[ChangeKind, str, int | None]:
    asked = change.pull_request
    return change.kind, change.ref, None if asked is None else asked.number


def _what_of(started: Started) -> str:
    """Say of a run that has ended at once, or waits for approval, why it does."""
    run = started.run
    reason = run.root.reason if run.state.ended or run.held else None
    return "" if reason is None else reason.text
