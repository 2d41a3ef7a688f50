"""How much room a worker has left beside what it holds."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Connection, Label, bindparam, cast, func, select

from lineshaft.model.placement import Capacity, Demand
from lineshaft.model.state import State
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.key import memory_bytes_of, millicpus_of
from lineshaft.store.schema import attempts, literal_state

UNBOUNDED: Final = 2**58
"""Stands for as much as tasks may ask for."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much is free.

    Attributes:
        millicpus: of processors, in thousandths.
        memory_bytes: of memory.
    """

    millicpus: int
    memory_bytes: int

    def times(self, demand: Demand) -> int:
        """Tell how often what is asked for fits."""
        processors = _times(self.millicpus, millicpus_of(demand.cpus))
        return min(processors, _times(self.memory_bytes, memory_bytes_of(demand)))

    def without(self, demand: Demand, count: int) -> "Room":
        """Tell what is left when so many attempts have been taken."""
        return Room(
            self.millicpus - count * millicpus_of(demand.cpus),
            self.memory_bytes - count * memory_bytes_of(demand),
        )

    def has_cpus(self, demand: Demand) -> bool:
        """Whether there are the processors that are asked for."""
        return millicpus_of(demand.cpus) <= max(self.millicpus, 0)

    def has_memory(self, demand: Demand) -> bool:
        """Whether there is the memory that is asked for."""
        return memory_bytes_of(demand) <= max(self.memory_bytes, 0)


NO_ROOM: Final = Room(0, 0)
"""Has a worker take only what asks for nothing."""


def _times(free: int, asked: int) -> int:
    return max(free, 0) // asked if asked else UNBOUNDED


def asks_for_room(demand: Demand, capacity: Capacity) -> bool:
    """Whether a demand takes up some of what a worker has only so much of."""
    return (demand.cpus > 0 and capacity.cpus is not None) or (
        demand.memory_bytes > 0 and capacity.memory_bytes is not None
    )


def _sum(column: Any, name: str) -> Label[int]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger).label(name)


SELECT_TAKEN: Final = Prepared(
    select(_sum(attempts.c.millicpus, "millicpus"), _sum(attempts.c.memory_bytes, "memory_bytes")).where(
        attempts.c.state == literal_state(State.RUNNING),
        attempts.c.worker_id == bindparam("of_worker"),
    )
)


def free_room(connection: Connection, worker_id: UUID, capacity: Capacity) -> Room:
    """Tell what a worker's leases have left of its capacity; it may be less than nothing."""
    ((millicpus, memory_bytes),) = SELECT_TAKEN.rows(connection, {"of_worker": worker_id})
    whole = whole_room(capacity)
    return Room(
        whole.millicpus if capacity.cpus is None else whole.millicpus - millicpus,
        whole.memory_bytes if capacity.memory_bytes is None else whole.memory_bytes - memory_bytes,
    )


def whole_room(capacity: Capacity) -> Room:
    """Tell how much room a worker has when it holds nothing."""
    return Room(
        UNBOUNDED if capacity.cpus is None else millicpus_of(capacity.cpus),
        UNBOUNDED if capacity.memory_bytes is None else capacity.memory_bytes,
    )
