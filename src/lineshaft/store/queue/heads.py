"""Which queues have something in them, found by skipping from one to the next along an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, ScalarSelect, String, bindparam, cast, exists, func, select

from lineshaft.model.placement import Demand
from lineshaft.model.state import State
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.key import read_demand
from lineshaft.store.queue.standing import STANDING
from lineshaft.store.schema import ONE, attempts, literal_state, workers

_QUEUED: Final = attempts.c.state == literal_state(State.QUEUED)
_LEASED: Final = attempts.c.state == literal_state(State.RUNNING)


@dataclass(frozen=True, slots=True)
class Head:
    """A queue that has something in it.

    Attributes:
        queue: its key.
        demand: what each attempt in it asks for.
        priority: of its first attempt, than which no other has a higher one.
        queued_at: since when its first attempt waits.
    """

    queue: str
    demand: Demand
    priority: int
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What a transaction has seen of the queues.

    Attributes:
        heads: of the queues that held something.
        arrivals: how many attempts the transaction had queued until then.
    """

    heads: Sequence[Head]
    arrivals: int


_DRAINS: Final = exists().where(
    workers.c.id == bindparam("of_worker", type_=workers.c.id.type), workers.c.draining_id == workers.c.id
)
_HELD: Final = select(func.count()).where(
    _LEASED, attempts.c.worker_id == bindparam("of_worker", type_=attempts.c.worker_id.type)
)
_SELECT_HELD: Final = Prepared(select(_HELD.scalar_subquery(), _DRAINS))


def _select_heads() -> Prepared:
    first = select(attempts.c.queue).where(_QUEUED).order_by(attempts.c.queue).limit(ONE)
    found = select(first.where(attempts.c.queue.is_not(None), ~_DRAINS).scalar_subquery().label("queue")).cte(
        "waiting", recursive=True
    )
    after = first.where(attempts.c.queue > found.c.queue).correlate(found).scalar_subquery()
    waiting = found.union_all(select(after).where(found.c.queue.is_not(None)))

    def of_head(column: Any) -> ScalarSelect[Any]:
        return (
            select(column)
            .where(_QUEUED, attempts.c.queue == waiting.c.queue)
            .order_by(*STANDING)
            .limit(ONE)
            .correlate(waiting)
            .scalar_subquery()
        )

    return Prepared(
        select(
            waiting.c.queue,
            of_head(attempts.c.kind).label("kind"),
            of_head(cast(attempts.c.labels, String())).label("labels"),
            of_head(attempts.c.millicpus).label("millicpus"),
            of_head(attempts.c.memory_bytes).label("memory_bytes"),
            of_head(attempts.c.priority).label("priority"),
            of_head(attempts.c.queued_at).label("queued_at"),
            _HELD.scalar_subquery().label("held"),
        ).where(waiting.c.queue.is_not(None))
    )


SELECT_HEADS: Final = _select_heads()
"""Finds the queues that have something in them."""


def read_heads(connection: Connection, worker_id: UUID) -> tuple[list[Head], int]:
    """List the queues that have something in them for a worker that is not draining.

    Returns:
        Their heads, and how many leases the worker holds; that only where there are heads.
    """
    rows = SELECT_HEADS.rows(connection, {"of_worker": worker_id})
    heads = []
    for queue, *asked, priority, queued_at, _held in rows:
        demand = read_demand(*asked)
        if demand is not None:
            heads.append(Head(queue, demand, priority, queued_at))
    return heads, rows[0][-1] if rows else 0


def read_held(connection: Connection, worker_id: UUID) -> int | None:
    """Tell how many leases a worker holds; None where it drains."""
    ((held, drains),) = _SELECT_HELD.rows(connection, {"of_worker": worker_id})
    return None if drains else held
