"""The statement by which a claim takes attempts from its queues."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Subquery,
    Update,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
    update,
)

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.state import State
from lineshaft.ports.store import Claim
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.key import memory_bytes_of, millicpus_of
from lineshaft.store.queue.limiting import Allowance, Which
from lineshaft.store.queue.order import OpenQueue
from lineshaft.store.queue.room import Room
from lineshaft.store.schema import attempts, literal_state, pipelines

_KEY: Final = (attempts.c.run_id, attempts.c.node, attempts.c.attempt)
_IN_TURN: Final = (attempts.c.turn, attempts.c.queued_at, attempts.c.run_id, attempts.c.node)


def take(
    connection: Connection, claim: Claim, opened: Sequence[OpenQueue], room: Room, allowance: Allowance
) -> list[AttemptAddress]:
    """Take from queues as many attempts as there is room for, the first in order first."""
    # One queue's attempts all ask for the same; of several queues' the statement adds up what they ask for.
    size = min(allowance.at_most, opened[0].at_most) if len(opened) == 1 else allowance.at_most
    values = _values(claim, opened, room, allowance.at_most)
    if allowance.restricts:
        statement = take_statement(len(opened), size, allowance.which)
        values["names"] = sorted(allowance.pipelines)
        rows = [tuple(row) for row in connection.execute(statement, values)]
    else:
        rows = _prepared(len(opened), size).rows(connection, values)
    return [AttemptAddress(*key) for _rank, _turn, _queued_at, *key in sorted(rows)]


def _values(claim: Claim, opened: Sequence[OpenQueue], room: Room, at_most: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "to_worker": claim.worker.id,
        "with_token": claim.token,
        "expires_at": claim.expires_at,
    }
    for number, each in enumerate(opened):
        values |= {f"queue_{number}": each.head.queue, f"least_{number}": each.least_priority}
    if len(opened) > 1:
        values |= {"at_most": at_most, "free_millicpus": room.millicpus, "free_memory": room.memory_bytes}
        for number, each in enumerate(opened):
            values[f"millicpus_{number}"] = millicpus_of(each.head.demand.cpus)
            values[f"memory_{number}"] = memory_bytes_of(each.head.demand)
    return values


@cache
def _prepared(queues: int, size: int) -> Prepared:
    return Prepared(take_statement(queues, size))


@cache
def take_statement(queues: int, size: int, which: Which | None = None) -> Update:
    """Make the statement that takes the first attempts of so many queues.

    Each queue's first ones are a range of the index, whatever its length. They stand in common table
    expressions because PostgreSQL may evaluate a plain subquery with LIMIT more than once.

    Args:
        queues: how many.
        size: how many attempts of each queue are looked at. It is a literal, because where LIMIT is a
            parameter, PostgreSQL plans for a tenth of the queue, and reads the whole table for it.
        which: whether only attempts of some pipelines, or of all but some, may be taken.
    """
    firsts = [_first_of(number, size, which).cte(f"first_{number}") for number in range(queues)]
    chosen = _keys(firsts[0]) if queues == 1 else _chosen(firsts)
    return (
        update(attempts)
        .where(tuple_(*_KEY).in_(chosen))
        .values(
            state=literal_state(State.RUNNING),
            worker_id=bindparam("to_worker"),
            token=bindparam("with_token"),
            lease_expires_at=bindparam("expires_at"),
        )
        .returning((-attempts.c.priority).label("rank"), attempts.c.turn, attempts.c.queued_at, *_KEY)
    )


def _first_of(number: int, size: int, which: Which | None) -> Select[Any]:
    return (
        select(*_KEY, attempts.c.priority, attempts.c.turn, attempts.c.queued_at)
        .where(
            attempts.c.state == literal_state(State.QUEUED),
            attempts.c.queue == bindparam(f"queue_{number}"),
            attempts.c.priority >= bindparam(f"least_{number}"),
            *_of_pipelines(which),
        )
        .order_by(attempts.c.priority.desc(), *_IN_TURN)
        .limit(literal_column(str(size), Integer()))
        .with_for_update(of=attempts, skip_locked=True)
    )


def _of_pipelines(which: Which | None) -> Sequence[ColumnElement[bool]]:
    if which is None:
        return ()
    named = select(pipelines.c.id).where(pipelines.c.name.in_(bindparam("names", expanding=True)))
    only = attempts.c.pipeline_id.in_(named)
    return (only,) if which is Which.ONLY else (~only,)


def _chosen(firsts: Sequence[CTE]) -> Select[Any]:
    """Let queues take turns within a priority, as long as what they ask for fits."""
    every = union_all(*(_with_round(number, first) for number, first in enumerate(firsts))).subquery("every")
    in_order = (every.c.priority.desc(), every.c.round, every.c.lot)
    summed = select(
        every,
        func.row_number().over(order_by=in_order).label("place"),
        func.sum(every.c.millicpus).over(order_by=in_order).label("millicpus_so_far"),
        func.sum(every.c.memory).over(order_by=in_order).label("memory_so_far"),
    ).subquery("summed")
    return _keys(summed).where(
        summed.c.place <= bindparam("at_most", type_=BigInteger()),
        summed.c.millicpus_so_far <= bindparam("free_millicpus", type_=BigInteger()),
        summed.c.memory_so_far <= bindparam("free_memory", type_=BigInteger()),
    )


def _with_round(number: int, first: CTE) -> Select[Any]:
    columns = first.c
    in_turn = (columns.turn, columns.queued_at, columns.run_id, columns.node)
    return select(
        columns.run_id,
        columns.node,
        columns.attempt,
        columns.priority,
        func.row_number().over(partition_by=columns.priority, order_by=in_turn).label("round"),
        literal(number, Integer()).label("lot"),
        bindparam(f"millicpus_{number}", type_=BigInteger()).label("millicpus"),
        bindparam(f"memory_{number}", type_=BigInteger()).label("memory"),
    )


def _keys(rows: CTE | Subquery) -> Select[Any]:
    return select(rows.c.run_id, rows.c.node, rows.c.attempt)
