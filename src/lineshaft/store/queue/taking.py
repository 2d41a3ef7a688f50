"""The statement by which a claim takes attempts from a queue."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Update,
    bindparam,
    literal_column,
    select,
    tuple_,
    update,
)

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.state import State
from lineshaft.ports.store import Claim
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.limiting import Allowance, Which
from lineshaft.store.queue.standing import ADDRESS, STANDING
from lineshaft.store.schema import attempts, literal_state, pipelines


def take(
    connection: Connection,
    claim: Claim,
    queue: str,
    *,
    least_priority: int,
    count: int,
    allowance: Allowance,
) -> list[AttemptAddress]:
    """Take the first attempts of a queue, in the order in which they stand there.

    Args:
        connection: in a transaction.
        claim: whose they will be.
        queue: the queue's key.
        least_priority: of the attempts that may be taken.
        count: how many.
        allowance: of which pipelines they may be.
    """
    values: dict[str, Any] = {
        "to_worker": claim.worker.id,
        "with_token": claim.token,
        "expires_at": claim.expires_at,
        "of_queue": queue,
        "least": least_priority,
    }
    if allowance.restricts:
        values["names"] = sorted(allowance.pipelines)
        taken = connection.execute(take_statement(count, allowance.which), values)
        rows = [tuple(row) for row in taken]
    else:
        rows = _prepared(count).rows(connection, values)
    return [AttemptAddress(*key) for _rank, _turn, _queued_at, *key in sorted(rows)]


@cache
def _prepared(count: int) -> Prepared:
    return Prepared(take_statement(count))


@cache
def take_statement(count: int, which: Which | None = None) -> Update:
    """Make the statement that takes the first attempts of a queue.

    They are a range of the index, whatever the queue's length. They stand in a common table expression
    because PostgreSQL may evaluate a plain subquery with LIMIT more than once.

    Args:
        count: how many. It is a literal, because where LIMIT is a parameter, PostgreSQL plans for a tenth
            of the queue, and reads the whole table for it.
        which: whether only attempts of some pipelines, or of all but some, may be taken.
    """
    first = (
        select(*ADDRESS)
        .where(
            attempts.c.state == literal_state(State.QUEUED),
            attempts.c.queue == bindparam("of_queue"),
            attempts.c.priority >= bindparam("least"),
            *_of_pipelines(which),
        )
        .order_by(*STANDING)
        .limit(literal_column(str(count), Integer()))
        .with_for_update(of=attempts, skip_locked=True)
        .cte("first")
    )
    return (
        update(attempts)
        .where(tuple_(*ADDRESS).in_(select(first.c.run_id, first.c.node, first.c.attempt)))
        .values(
            state=literal_state(State.RUNNING),
            worker_id=bindparam("to_worker"),
            token=bindparam("with_token"),
            lease_expires_at=bindparam("expires_at"),
        )
        .returning((-attempts.c.priority).label("rank"), attempts.c.turn, attempts.c.queued_at, *ADDRESS)
    )


def _of_pipelines(which: Which | None) -> Sequence[ColumnElement[bool]]:
    if which is None:
        return ()
    named = select(pipelines.c.id).where(pipelines.c.name.in_(bindparam("names", expanding=True)))
    only = attempts.c.pipeline_id.in_(named)
    return (only,) if which is Which.ONLY else (~only,)
