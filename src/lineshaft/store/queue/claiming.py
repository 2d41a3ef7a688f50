"""Claims: what a worker takes from the queues.

A cheap read tells which queues have something in them. What of that the worker serves, has room for and may
take is worked out here, and one UPDATE takes it.

Two processes may claim for one worker at once, and neither sees what the other takes before it commits. So
what asks for processors or memory is taken under a lock of the worker's. It is not waited for: who waits
here may hold what the other one waits for. Who does not get it takes the rest, and has the worker's topic
woken, so that whoever claims for it does so again.
"""

from collections.abc import Sequence
from typing import Final

from lineshaft.model.attempt import AttemptAddress
from lineshaft.ports.store import Claim
from lineshaft.ports.wakeups import worker_topic
from lineshaft.store.advisory import LIMITS, number_of
from lineshaft.store.queue.heads import Head, read_heads
from lineshaft.store.queue.limiting import Allowance, concerns, read_allowance
from lineshaft.store.queue.order import open_queues
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
    claimed: list[AttemptAddress] = []
    while len(claimed) < claim.slots:
        some = _claim_some(session, claim, min(claim.slots - len(claimed), MOST_AT_ONCE), limited=limited)
        claimed += some
        # Under a limit only so many are taken at once as are allowed, whichever pipelines they are of.
        if not some or not (limited or len(some) == MOST_AT_ONCE):
            break
    return claimed


def _claim_some(session: Session, claim: Claim, slots: int, *, limited: bool) -> list[AttemptAddress]:
    offer = claim.worker.offer
    heads, held = read_heads(session.connection, claim.worker.id)
    served = [head for head in heads if offer.serves(head.demand)]
    slots = min(slots, offer.capacity.slots - held)
    if not served or slots < 1:
        return []
    allowance = Allowance(slots)
    if limited:
        allowance = read_allowance(session.connection, claim.limits, slots, served)
    allowed = [head for head in served if allowance.lets(head)]
    room = _room(session, claim, allowed)
    opened = open_queues(allowed, room, allowance.at_most, claim.now, claim.token)
    return take(session.connection, claim, opened, room, allowance) if opened else []


def _room(session: Session, claim: Claim, heads: Sequence[Head]) -> Room:
    worker = claim.worker
    capacity = worker.offer.capacity
    if not any(asks_for_room(head.demand, capacity) for head in heads):
        return whole_room(capacity)
    if session.locks.take_if_free(number_of(worker.id)):
        return free_room(session.connection, worker.id, capacity)
    session.topics.add(worker_topic(worker.id))
    return NO_ROOM
