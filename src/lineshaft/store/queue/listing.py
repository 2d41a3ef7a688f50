"""What waits and what is held, told to people."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, Select, String, bindparam, cast, select

from lineshaft.model.attempt import AttemptAddress, HeldAttempt, QueuedAttempt
from lineshaft.model.placement import Demand
from lineshaft.model.state import State
from lineshaft.store.queue.key import read_demand
from lineshaft.store.queue.standing import ADDRESS, STANDING
from lineshaft.store.schema import attempts, literal_state

_DEMAND: Final = (
    attempts.c.kind,
    cast(attempts.c.labels, String()).label("labels_text"),
    attempts.c.millicpus,
    attempts.c.memory_bytes,
)
_SELECT_HELD: Final = (
    select(*ADDRESS, attempts.c.worker_id, attempts.c.lease_expires_at, attempts.c.pipeline_id, *_DEMAND)
    .where(attempts.c.state == literal_state(State.RUNNING))
    .order_by(attempts.c.worker_id, *ADDRESS)
)
_SELECT_HELD_BY: Final = _SELECT_HELD.where(attempts.c.worker_id.in_(bindparam("of_workers", expanding=True)))
_SELECT_QUEUED: Final = (
    select(*ADDRESS, attempts.c.pipeline_id, attempts.c.priority, attempts.c.queued_at, *_DEMAND)
    .where(attempts.c.state == literal_state(State.QUEUED), attempts.c.queue.is_not(None))
    .order_by(*STANDING, attempts.c.attempt)
    .limit(bindparam("at_most"))
)


def list_held(connection: Connection, worker_ids: Collection[UUID] | None) -> Sequence[HeldAttempt]:
    """List living leases, of some workers or of all, by worker and address."""
    if worker_ids is None:
        return _held(connection, _SELECT_HELD, {})
    return _held(connection, _SELECT_HELD_BY, {"of_workers": list(worker_ids)}) if worker_ids else ()


def _held(connection: Connection, statement: Select[Any], values: dict[str, Any]) -> Sequence[HeldAttempt]:
    return [
        HeldAttempt(_address(row), row.worker_id, demand, row.lease_expires_at, row.pipeline_id)
        for row in connection.execute(statement, values)
        if (demand := _demand(row)) is not None
    ]


def list_queued(connection: Connection, limit: int) -> Sequence[QueuedAttempt]:
    """List what waits for a worker, in about the order in which it will be taken."""
    return [
        QueuedAttempt(_address(row), row.pipeline_id, demand, row.priority, row.queued_at)
        for row in connection.execute(_SELECT_QUEUED, {"at_most": limit})
        if (demand := _demand(row)) is not None
    ]


def _address(row: Row[Any]) -> AttemptAddress:
    return AttemptAddress(row.run_id, row.node, row.attempt)


def _demand(row: Row[Any]) -> Demand | None:
    return read_demand(row.kind, row.labels_text, row.millicpus, row.memory_bytes)
