"""Claims: what a worker takes from the queues.

A cheap read tells which queues have something in them. From which of them the worker takes, and how many, is
worked out here; then one UPDATE a queue takes them. One that looked into several queues would lock more than
it takes, and another process would find nothing there meanwhile.

Two processes may claim for one worker at once, and neither sees what the other takes before it commits. So
what asks for processors or memory is taken under a lock of the worker's. It is not waited for: who waits
here may hold what the other one waits for. Who does not get it takes the rest, and has the worker's topic
woken, so that whoever claims for it does so again.
"""

from collections.abc import Sequence
from math import ceil
from typing import Final
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.ports.store import Claim
from lineshaft.ports.wakeups import worker_topic
from lineshaft.store.advisory import LIMITS, number_of
from lineshaft.store.queue.heads import Head, Look, read_heads, read_held
from lineshaft.store.queue.limiting import Allowance, concerns, read_allowance
from lineshaft.store.queue.order import MOST_QUEUES, OpenQueue, levels, open_queues
from lineshaft.store.queue.room import NO_ROOM, Room, asks_for_room, free_room, whole_room
from lineshaft.store.queue.taking import take
from lineshaft.store.session import Session

MOST_AT_ONCE: Final = 16
"""How many attempts one statement takes at most."""


def claim_attempts(session: Session, claim: Claim) -> list[AttemptAddress]:
    """Take queued attempts for a worker, in the order in which they are to be worked on."""
    if claim.slots < 1:
        return []
    limited = concerns(claim.limits, claim.worker.offer)
    if limited:
        session.locks.take(LIMITS)
        session.pending.flush_attempts()
    session.pending.flush_queue()
    claimed: list[AttemptAddress] = []
    more = True
    while more and len(claimed) < claim.slots:
        some, more = _claim_some(session, claim, claim.slots - len(claimed), limited=limited)
        claimed += session.pending.living(some)
    return claimed


def _claim_some(
    session: Session, claim: Claim, slots: int, *, limited: bool
) -> tuple[list[AttemptAddress], bool]:
    """Take some of what is there now, and tell whether there may be more."""
    offer = claim.worker.offer
    looks_anew = session.look is None
    heads, held = _look(session, claim.worker.id)
    served = [head for head in heads if offer.serves(head.demand)]
    held -= session.pending.ended_leases(claim.worker.id)
    slots = min(slots, offer.capacity.slots - held)
    if not served or slots < 1:
        return [], False
    allowance = Allowance(slots)
    if limited:
        allowance = read_allowance(session.connection, claim.limits, slots, served)
    allowed = [head for head in served if allowance.lets(head)]
    room = _room(session, claim, allowed)
    opened = open_queues(allowed, room, claim.now, claim.token)
    for level in levels(opened):
        reached = [each for each in opened[:MOST_QUEUES] if each.head.priority >= level]
        some = _take_in_turns(session, claim, reached, level, room=room, allowance=allowance)
        if some:
            if len(some) < slots:
                session.look = None  # A queue may be empty now.
            # One queue alone has given all that it has when it gives less than it was asked for.
            return some, limited or len(opened) > 1 or len(some) >= min(MOST_AT_ONCE, slots)
    session.look = None
    # Others, or this transaction's claims before, may have taken what an earlier look has seen.
    return ([], False) if looks_anew else ([], True)


def _look(session: Session, worker_id: UUID) -> tuple[Sequence[Head], int]:
    """Find the queues that hold something for a worker that does not drain, and how many leases it holds.

    One look serves all claims of a transaction, until attempts arrive or what it has seen is gone. That the
    priority of what stands first may have sunk since does no harm: claims take from the highest one down.
    """
    look = session.look
    if look is not None and look.arrivals == session.pending.arrivals:
        held = read_held(session.connection, worker_id)
        return ([], 0) if held is None else (look.heads, held)
    heads, held = read_heads(session.connection, worker_id)
    session.look = Look(heads, session.pending.arrivals) if heads else None
    return heads, held


def _take_in_turns(
    session: Session,
    claim: Claim,
    queues: Sequence[OpenQueue],
    level: int,
    *,
    room: Room,
    allowance: Allowance,
) -> list[AttemptAddress]:
    """Take from each queue its share of what is left, as long as it fits."""
    taken: list[AttemptAddress] = []
    for number, each in enumerate(queues):
        left = allowance.at_most - len(taken)
        share = ceil(left / (len(queues) - number))
        demand = each.head.demand
        count = min(share, room.times(demand), MOST_AT_ONCE)
        if count > 0:
            some = take(
                session.connection,
                claim,
                each.head.queue,
                least_priority=max(level, each.least_priority),
                count=count,
                allowance=allowance,
            )
            room = room.without(demand, len(some))
            taken += some
    return taken


def _room(session: Session, claim: Claim, heads: Sequence[Head]) -> Room:
    worker = claim.worker
    capacity = worker.offer.capacity
    if not any(asks_for_room(head.demand, capacity) for head in heads):
        return whole_room(capacity)
    if session.locks.take_if_free(number_of(worker.id)):
        session.pending.flush_attempts()
        return free_room(session.connection, worker.id, capacity)
    session.topics.add(worker_topic(worker.id))
    return NO_ROOM
