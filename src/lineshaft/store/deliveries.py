"""Deliveries in the database."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState, Outcome
from lineshaft.ports.wakeups import DELIVERIES
from lineshaft.store.changes import change_values, read_change
from lineshaft.store.schema import commit_statuses, deliveries, delivery_outcomes
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep

_COLUMNS: Final = deliveries.c
_IS: Final = _COLUMNS.id == bindparam("of_id")
_DUE: Final = _COLUMNS.due_at.is_not(None)
_KEY: Final = ("source", "connection", "remote_id")

_INSERT: Final = insert_or_keep(deliveries, *_KEY)
_SELECT: Final = select(deliveries).where(_IS)
_SELECT_OF_KEY: Final = select(deliveries).where(
    *(_COLUMNS[name] == bindparam(f"of_{name}") for name in _KEY)
)
_HOLD: Final = _SELECT.with_for_update()
_SELECT_NEXT: Final = select(func.min(_COLUMNS.due_at, type_=_COLUMNS.due_at.type)).where(_DUE)
_TAKE: Final = (
    update(deliveries)
    .where(
        _COLUMNS.id.in_(
            select(_COLUMNS.id)
            .where(_DUE, _COLUMNS.due_at <= bindparam("now"))
            .order_by(_COLUMNS.due_at, _COLUMNS.id)
            .limit(bindparam("at_most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(due_at=bindparam("until"))
    .returning(_COLUMNS.id)
)
_PROLONG: Final = update(deliveries).where(_IS, _DUE).values(due_at=bindparam("until"))
_NOTED: Final = ("state", "text", "handled_at", "tries", "due_at")
_NOTE: Final = update(deliveries).where(_IS).values({name: bindparam(f"new_{name}") for name in _NOTED})

_INSERT_OUTCOME: Final = insert(delivery_outcomes)
_OUTCOMES: Final = (
    select(delivery_outcomes)
    .where(delivery_outcomes.c.delivery_id.in_(bindparam("of_ids", expanding=True)))
    .order_by(delivery_outcomes.c.delivery_id, delivery_outcomes.c.position)
)
_OLD: Final = (
    select(_COLUMNS.id)
    .where(_COLUMNS.received_at < bindparam("before"), _COLUMNS.due_at.is_(None))
    .order_by(_COLUMNS.received_at)
    .limit(bindparam("at_most"))
)
_DELETE_OUTCOMES: Final = delete(delivery_outcomes).where(
    delivery_outcomes.c.delivery_id.in_(bindparam("of_ids", expanding=True))
)
_DELETE_STATUSES: Final = delete(commit_statuses).where(
    commit_statuses.c.run_id.in_(bindparam("of_ids", expanding=True))
)
_DELETE: Final = delete(deliveries).where(_COLUMNS.id.in_(bindparam("of_ids", expanding=True)))

_AT_ONCE: Final = 1_000
"""How many ids a statement is given: both databases know a limit."""


class SqlDeliveries:
    """What came in; see `ports.store.Deliveries`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def add(self, delivery: Delivery) -> Delivery:
        """Keep what came in, unless it is there already by its source, connection and remote id."""
        self._session.change()
        waits = delivery.state is DeliveryState.RECEIVED
        values = {
            "id": delivery.id,
            "source": delivery.source.value,
            "connection": delivery.connection,
            "remote_id": delivery.remote_id,
            "event": delivery.event,
            "received_at": delivery.received_at,
            "changes": [change_values(change) for change in delivery.changes],
            "state": delivery.state.value,
            "text": delivery.text,
            "handled_at": delivery.handled_at,
            "tries": delivery.tries,
            "redelivers": delivery.redelivers,
            "pipeline_id": delivery.pipeline_id,
            "due_at": delivery.received_at if waits else None,
        }
        if self._session.connection.execute(_INSERT, values).rowcount != 1:
            key = {f"of_{name}": values[name] for name in _KEY}
            return self._whole([self._session.connection.execute(_SELECT_OF_KEY, key).one()])[0]
        self._add_outcomes(delivery.id, 0, delivery.outcomes)
        if waits:
            self._session.topics.add(DELIVERIES)
        return delivery

    def get(self, delivery_id: UUID) -> Delivery | None:
        """Find one by its id."""
        rows = self._session.connection.execute(_SELECT, {"of_id": delivery_id}).all()
        return self._whole(rows)[0] if rows else None

    def page(
        self,
        *,
        pipeline_id: UUID | None = None,
        visible: Collection[UUID] | None = None,
        before: UUID | None = None,
        limit: int,
    ) -> Sequence[Delivery]:
        """List deliveries, newest first, with the outcomes that may be seen."""
        seen = visible
        if pipeline_id is not None:
            seen = [pipeline_id] if visible is None or pipeline_id in visible else []
        rows = self._page(None, before, limit) if seen is None else self._page_of(seen, before, limit)
        found = self._whole(rows)
        if visible is None:
            return found
        return [replace(each, outcomes=_seen(each.outcomes, visible)) for each in found]

    def next_due(self) -> datetime | None:
        """Tell when the next one is due; None when there is none."""
        found: datetime | None = self._session.connection.execute(_SELECT_NEXT).scalar_one()
        return found

    def take(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """Take some that are due, the one that is due longest first, so that no other process does."""
        self._session.change()
        values = {"now": now, "until": until, "at_most": limit}
        taken = self._session.connection.execute(_TAKE, values).scalars().all()
        if not taken:
            return []
        statement = select(deliveries).where(_COLUMNS.id.in_(taken)).order_by(_COLUMNS.id)
        return self._whole(self._session.connection.execute(statement).all())

    def prolong(self, delivery_ids: Collection[UUID], until: datetime) -> None:
        """Keep some that were taken for longer; without effect on those that are done with."""
        self._session.change()
        values = [{"of_id": each, "until": until} for each in sorted(delivery_ids)]
        if values:
            self._session.connection.execute(_PROLONG, values)

    def hold(self, delivery_id: UUID) -> Delivery | None:
        """Find one, and keep other processes from changing it until this transaction has ended."""
        rows = self._session.connection.execute(_HOLD, {"of_id": delivery_id}).all()
        return self._whole(rows)[0] if rows else None

    def note(self, delivery: Delivery, added: Sequence[Outcome], due_at: datetime | None) -> Delivery:
        """Write how one stands: its state, text, tries and `handled_at`, and what else came of it."""
        self._session.change()
        values = {
            "of_id": delivery.id,
            "new_state": delivery.state.value,
            "new_text": delivery.text,
            "new_handled_at": delivery.handled_at,
            "new_tries": delivery.tries,
            "new_due_at": due_at,
        }
        self._session.connection.execute(_NOTE, values)
        self._add_outcomes(delivery.id, len(delivery.outcomes), added)
        if due_at is not None:
            self._session.topics.add(DELIVERIES)
        return replace(delivery, outcomes=(*delivery.outcomes, *added))

    def remove_old(self, before: datetime, limit: int) -> int:
        """Remove what came in before a time and is done with, some at once, and tell how many it were."""
        self._session.change()
        old = self._session.connection.execute(_OLD, {"before": before, "at_most": limit}).scalars().all()
        if old:
            self._session.connection.execute(_DELETE_OUTCOMES, {"of_ids": old})
            self._session.connection.execute(_DELETE_STATUSES, {"of_ids": old})
            self._session.connection.execute(_DELETE, {"of_ids": old})
        return len(old)

    def _add_outcomes(self, delivery_id: UUID, first: int, outcomes: Sequence[Outcome]) -> None:
        rows = [
            {
                "delivery_id": delivery_id,
                "position": position,
                "pipeline_id": outcome.pipeline_id,
                "pipeline": outcome.pipeline,
                "run_id": outcome.run_id,
                "text": outcome.text,
            }
            for position, outcome in enumerate(outcomes, first)
        ]
        if rows:
            self._session.connection.execute(_INSERT_OUTCOME, rows)

    def _page_of(self, pipelines: Collection[UUID], before: UUID | None, limit: int) -> Sequence[Row[Any]]:
        """List the newest of which something came for some pipelines, which may be too many for one call."""
        ids = sorted(pipelines)
        found = {
            row.id: row
            for begin in range(0, len(ids), _AT_ONCE)
            for row in self._page(ids[begin : begin + _AT_ONCE], before, limit)
        }
        return [found[each] for each in sorted(found, reverse=True)][:limit]

    def _page(self, among: Sequence[UUID] | None, before: UUID | None, limit: int) -> Sequence[Row[Any]]:
        page = select(deliveries).order_by(_COLUMNS.id.desc()).limit(limit)
        if before is not None:
            page = page.where(_COLUMNS.id < before)
        if among is not None:
            outcomes = delivery_outcomes.c
            of = select(outcomes.delivery_id).where(outcomes.pipeline_id.in_(among))
            page = page.where(_COLUMNS.id.in_(of))
        return self._session.connection.execute(page).all()

    def _whole(self, rows: Sequence[Row[Any]]) -> list[Delivery]:
        outcomes: defaultdict[UUID, list[Outcome]] = defaultdict(list)
        if rows:
            ids = {"of_ids": [row.id for row in rows]}
            for row in self._session.connection.execute(_OUTCOMES, ids):
                outcome = Outcome(row.pipeline_id, row.pipeline, row.run_id, row.text)
                outcomes[row.delivery_id].append(outcome)
        return [_delivery(row, outcomes) for row in rows]


def _delivery(row: Row[Any], outcomes: Mapping[UUID, Sequence[Outcome]]) -> Delivery:
    return Delivery(
        id=row.id,
        source=DeliverySource(row.source),
        connection=row.connection,
        remote_id=row.remote_id,
        event=row.event,
        received_at=row.received_at,
        changes=tuple(read_change(values) for values in row.changes),
        state=DeliveryState(row.state),
        text=row.text,
        outcomes=tuple(outcomes.get(row.id, ())),
        handled_at=row.handled_at,
        tries=row.tries,
        redelivers=row.redelivers,
        pipeline_id=row.pipeline_id,
    )


def _seen(outcomes: Sequence[Outcome], visible: Collection[UUID]) -> tuple[Outcome, ...]:
    return tuple(each for each in outcomes if each.pipeline_id in visible)
