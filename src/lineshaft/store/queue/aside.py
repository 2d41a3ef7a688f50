"""Attempts that are kept out of claims for a time, and come back into their queues."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, String, and_, bindparam, cast, null, or_, select, update

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.state import State
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.arrival import PIPELINE, PRIORITY, QUEUE, next_turn
from lineshaft.store.queue.key import queue_key, read_demand
from lineshaft.store.run_rows import Values
from lineshaft.store.schema import attempts, literal_state, runs

_IS: Final = (
    attempts.c.run_id == bindparam("of_run"),
    attempts.c.node == bindparam("of_node"),
    attempts.c.attempt == bindparam("of_attempt"),
)
_ASIDE: Final = {
    attempts.c.state: literal_state(State.QUEUED),
    attempts.c.queue: null(),
    attempts.c.aside_until: bindparam("until"),
    attempts.c.worker_id: null(),
    attempts.c.token: null(),
    attempts.c.lease_expires_at: null(),
}
_SET_ASIDE: Final = Prepared(
    update(attempts)
    .where(*_IS, attempts.c.state.in_((literal_state(State.QUEUED), literal_state(State.RUNNING))))
    .values(_ASIDE)
)
_SET_RUN_ASIDE: Final = Prepared(
    update(attempts)
    .where(
        attempts.c.run_id == bindparam("of_run"),
        or_(
            attempts.c.state == literal_state(State.RUNNING),
            and_(attempts.c.state == literal_state(State.QUEUED), attempts.c.queue.is_not(None)),
        ),
    )
    .values(_ASIDE)
)
_SELECT_ASIDE: Final = Prepared(
    select(
        attempts.c.run_id,
        attempts.c.node,
        attempts.c.attempt,
        runs.c.pipeline_id,
        runs.c.priority,
        attempts.c.kind,
        cast(attempts.c.labels, String()),
        attempts.c.millicpus,
        attempts.c.memory_bytes,
    )
    .join_from(attempts, runs, runs.c.id == attempts.c.run_id)
    .where(
        attempts.c.state == literal_state(State.QUEUED),
        attempts.c.queue.is_(None),
        or_(attempts.c.aside_until.is_(None), attempts.c.aside_until <= bindparam("now")),
    )
    .order_by(attempts.c.queued_at, attempts.c.run_id, attempts.c.node)
    .limit(bindparam("at_most"))
    .with_for_update(of=attempts, skip_locked=True)
)
_BRING_BACK: Final = Prepared(
    update(attempts)
    .where(*_IS)
    .values(queue=QUEUE, pipeline_id=PIPELINE, priority=PRIORITY, turn=next_turn(), aside_until=null())
)


def set_aside(connection: Connection, address: AttemptAddress, until: datetime) -> None:
    """Take an attempt out of its queue, or from its worker."""
    values = {
        "of_run": address.run_id,
        "of_node": address.node,
        "of_attempt": address.attempt,
        "until": until,
    }
    _SET_ASIDE.execute(connection, values)


def set_run_aside(connection: Connection, run_id: UUID, until: datetime) -> int:
    """Take all attempts of a run out of their queues, or from their workers; tells how many."""
    return _SET_RUN_ASIDE.execute(connection, {"of_run": run_id, "until": until})


def bring_back(connection: Connection, now: datetime, limit: int) -> int:
    """Put attempts that have no queue into theirs, unless they are set aside for longer; tells how many."""
    rows = _SELECT_ASIDE.rows(connection, {"now": now, "at_most": limit})
    _BRING_BACK.execute_many(connection, [_place(*row) for row in rows])
    return len(rows)


def _place(*row: Any) -> Values:
    run_id, node, attempt, pipeline_id, priority, kind, labels, millicpus, memory_bytes = row
    demand = read_demand(kind, labels, millicpus, memory_bytes)
    # One that makes no sense gets a queue all the same, which no worker takes from.
    names = () if demand is None else demand.labels
    return {
        "of_run": run_id,
        "of_node": node,
        "of_attempt": attempt,
        "of_pipeline": pipeline_id,
        "at_priority": priority,
        "in_queue": queue_key(kind if demand else "unreadable", names, millicpus, memory_bytes),
    }
