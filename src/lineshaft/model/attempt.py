"""An attempt's address, and what is known of it outside the engine."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lineshaft.model.placement import Demand


@dataclass(frozen=True, slots=True, order=True)
class AttemptAddress:
    """Which attempt: one try of one task of one run.

    Attributes:
        run_id: the run.
        node: the node's index in the run's tree.
        attempt: which try, from 1.
    """

    run_id: UUID
    node: int
    attempt: int


@dataclass(frozen=True, slots=True)
class LeasedAttempt:
    """An attempt that a worker holds.

    Attributes:
        address: which attempt.
        token: the fencing token of its lease.
        worker_id: who holds it.
        stopping: whether its worker has been told to stop it.
    """

    address: AttemptAddress
    token: str
    worker_id: UUID
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class HeldAttempt:
    """An attempt that a worker works on, and what it takes up there.

    Attributes:
        address: which attempt.
        worker_id: who holds it.
        demand: what it asked for.
        expires_at: when its lease runs out.
        pipeline_id: whose run it is of; None where a server of the version before has queued it.
    """

    address: AttemptAddress
    worker_id: UUID
    demand: Demand
    expires_at: datetime
    pipeline_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class QueuedAttempt:
    """An attempt that waits for a worker.

    Attributes:
        address: which attempt.
        pipeline_id: whose run it is of.
        demand: what it asks for.
        priority: the run's.
        queued_at: since when it waits.
    """

    address: AttemptAddress
    pipeline_id: UUID
    demand: Demand
    priority: int
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class LogState:
    """What is known of an attempt's log.

    Attributes:
        size_bytes: how long it is; the next append begins there.
        blob: its key in the blob store once it has moved there; None while its chunks are in the database.
        complete: whether the attempt has ended, so that nothing more will come.
        removed: whether it was removed for its age; its size is what it was.
    """

    size_bytes: int
    blob: str | None
    complete: bool
    removed: bool = False
