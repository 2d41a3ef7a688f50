"""How attempts come into their queues, and which turn they get there.

Turns are the start tags of start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996), where each attempt
is one unit of service: a pipeline's attempts get turns that follow each other, and one whose pipeline has
nothing waiting gets the turn that its queue is at. So 10,000 attempts of one pipeline hold up those of
another by one each.

The turn is looked up by the statement that writes the row, in three index ranges. Two processes that write at
once may give a turn out twice; then of the two attempts the older one goes first.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    ScalarSelect,
    Select,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    union_all,
)

from lineshaft.engine.decision import AttemptQueued
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.key import memory_bytes_of, millicpus_of, queue_key
from lineshaft.store.run_rows import Values
from lineshaft.store.schema import ONE, attempts, literal_state

QUEUE: Final = bindparam("in_queue", type_=attempts.c.queue.type)
PIPELINE: Final = bindparam("of_pipeline", type_=attempts.c.pipeline_id.type)
PRIORITY: Final = bindparam("at_priority", type_=attempts.c.priority.type)


def next_turn() -> ScalarSelect[int]:
    """Find the turn of an attempt that joins a queue: behind its pipeline's last, not before the queue's own.

    The queue is at the turn of its first attempt, or behind the last turn that has come, whichever is later:
    attempts that nobody could take may have been passed over, and what was taken may have ended.

    For its pipeline's last turn the priority is asked for as a range, and in order, though only one fits: the
    index of claims, which does not know the pipeline, stands in another order. Asked for the turn alone,
    PostgreSQL takes that one where it knows little of the table, and reads the whole queue for it.
    """
    other = attempts.alias("other")
    queued = other.c.state == literal_state(State.QUEUED)
    running = other.c.state == literal_state(State.RUNNING)
    here = (other.c.queue == QUEUE, other.c.priority == PRIORITY)
    first = select(other.c.turn).where(queued, *here).order_by(other.c.turn).limit(ONE)
    begun = select(other.c.turn + 1).where(running, *here).order_by(other.c.turn.desc()).limit(ONE)
    own = (
        select(other.c.turn + 1)
        .where(
            queued,
            other.c.queue == QUEUE,
            other.c.pipeline_id == PIPELINE,
            other.c.priority.between(PRIORITY, PRIORITY),
        )
        .order_by(other.c.priority.desc(), other.c.turn.desc())
        .limit(ONE)
    )
    turns = union_all(*(_or_zero(each) for each in (first, begun, own))).subquery("turns")
    return select(func.max(turns.c.turn)).scalar_subquery()


def _or_zero(turn: Select[tuple[int]]) -> Select[tuple[int]]:
    return select(func.coalesce(turn.scalar_subquery(), literal_column("0", BigInteger())).label("turn"))


INSERT_ATTEMPT: Final = Prepared(
    insert(attempts).values(
        run_id=bindparam("of_run"),
        node=bindparam("of_node"),
        attempt=bindparam("of_attempt"),
        kind=bindparam("of_kind"),
        state=literal_state(State.QUEUED),
        queued_at=bindparam("at"),
        stopping=False,
        log_size=0,
        labels=bindparam("with_labels"),
        queue=QUEUE,
        pipeline_id=PIPELINE,
        priority=PRIORITY,
        turn=next_turn(),
        millicpus=bindparam("asked_millicpus"),
        memory_bytes=bindparam("asked_memory"),
    )
)
"""Queues an attempt."""


def queued_values(run: Run, effect: AttemptQueued, at: datetime) -> Values:
    """Tell what `INSERT_ATTEMPT` takes."""
    demand = effect.demand
    kind, millicpus, memory_bytes = str(demand.kind), millicpus_of(demand.cpus), memory_bytes_of(demand)
    return {
        "of_run": run.id,
        "of_node": effect.node,
        "of_attempt": effect.attempt,
        "of_kind": kind,
        "at": at,
        "with_labels": list(demand.labels) or None,
        "in_queue": queue_key(kind, demand.labels, millicpus, memory_bytes),
        "of_pipeline": run.pipeline_id,
        "at_priority": effect.priority,
        "asked_millicpus": millicpus,
        "asked_memory": memory_bytes,
    }
