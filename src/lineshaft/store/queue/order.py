"""From which queues a claim takes, and in which order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from lineshaft.store.queue.heads import Head
from lineshaft.store.queue.room import Room

MOST_QUEUES: Final = 16
"""From how many queues a claim takes at once at most."""

LONG: Final = timedelta(minutes=1)
"""How long an attempt waits until a worker that has no room for it keeps it some."""

ANY_PRIORITY: Final = -(2**31)
"""No attempt has a lower one."""


@dataclass(frozen=True, slots=True)
class OpenQueue:
    """A queue that a claim may take from.

    Attributes:
        head: the queue.
        least_priority: of the attempts that may be taken.
    """

    head: Head
    least_priority: int = ANY_PRIORITY


def open_queues(heads: Iterable[Head], room: Room, now: datetime, token: str) -> list[OpenQueue]:
    """Choose the queues that a claim takes from.

    The highest priority goes first; queues of one priority are drawn by a lot that the claim's token and the
    queue's key decide.

    One whose first attempt has waited long and does not fit keeps the room that comes: queues that ask for
    what it lacks are closed, but to attempts of a higher priority. Once it fits it takes part in the lot, so
    that neither large tasks nor small ones wait for ever.

    Args:
        heads: of the queues that the worker serves.
        room: what it has free.
        now: the time.
        token: the claim's.
    """
    ordered = sorted(heads, key=lambda head: (-head.priority, _lot(token, head.queue)))
    waiting = [head for head in ordered if head.queued_at <= now - LONG and not room.times(head.demand)]
    opened = [
        OpenQueue(head, _least_priority(head, waiting, room)) for head in ordered if room.times(head.demand)
    ]
    return [each for each in opened if each.head.priority >= each.least_priority]


def levels(opened: Sequence[OpenQueue]) -> list[int]:
    """List the priorities down to which a claim looks, one after the other, until it finds something.

    It mostly does at the first, that of the first queue's head. What stands there may be another's by now,
    or held back by a limit.
    """
    if len(opened) == 1:
        return [ANY_PRIORITY]
    heads = sorted({each.head.priority for each in opened[: MOST_QUEUES + 1]}, reverse=True)
    return heads if len(opened) > MOST_QUEUES else [*heads, ANY_PRIORITY]


def _least_priority(head: Head, waiting: Iterable[Head], room: Room) -> int:
    """Tell which priority an attempt needs so as not to take what others wait for."""
    in_its_way = (other.priority + 1 for other in waiting if _takes_from(head, other, room))
    return max(in_its_way, default=ANY_PRIORITY)


def _takes_from(head: Head, other: Head, room: Room) -> bool:
    """Whether one queue's attempts would take up what another's lack."""
    asked, lacking = head.demand, other.demand
    return (asked.cpus > 0 and not room.has_cpus(lacking)) or (
        asked.memory_bytes > 0 and not room.has_memory(lacking)
    )


def _lot(token: str, queue: str) -> bytes:
    return blake2b(f"{token} {queue}".encode(), digest_size=8).digest()
