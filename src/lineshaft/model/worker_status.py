"""What a worker does, as people look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from lineshaft.model.attempt import HeldAttempt
from lineshaft.model.worker import Worker


class WorkerState(StrEnum):
    """What a worker is about."""

    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A task that a worker works on.

    Attributes:
        held: the attempt, and what it takes up.
        pipeline: the pipeline's name; empty where the run cannot be read.
        run_number: the run's number in its pipeline; None where the run cannot be read.
        path: the node's path; empty where the run cannot be read.
    """

    held: HeldAttempt
    pipeline: str = ""
    run_number: int | None = None
    path: str = ""

    @property
    def run_id(self) -> UUID:
        """The run that it is of."""
        return self.held.address.run_id


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """A worker and what it does.

    Attributes:
        worker: its session.
        state: what it is about.
        running: what it works on.
    """

    worker: Worker
    state: WorkerState
    running: Sequence[RunningTask] = ()

    @property
    def free_slots(self) -> int:
        """How many more attempts it can take."""
        return max(0, self.worker.offer.capacity.slots - len(self.running))

    @property
    def free_cpus(self) -> float | None:
        """How many processors it has left for tasks that ask for some; None where it does not say."""
        cpus = self.worker.offer.capacity.cpus
        return None if cpus is None else max(0.0, cpus - sum(task.held.demand.cpus for task in self.running))

    @property
    def free_memory_bytes(self) -> int | None:
        """How much memory it has left for tasks that ask for some; None where it does not say."""
        memory = self.worker.offer.capacity.memory_bytes
        if memory is None:
            return None
        return max(0, memory - sum(task.held.demand.memory_bytes for task in self.running))
