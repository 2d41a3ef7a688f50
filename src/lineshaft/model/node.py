"""The nodes of a pipeline: tasks, and groups of nodes."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from lineshaft.model.work import Work, may_begin_twice


class Order(StrEnum):
    """How the children of a group run."""

    SEQUENCE = "sequence"
    PARALLEL = "parallel"


@dataclass(frozen=True, slots=True)
class Task:
    """A leaf: work for a driver.

    Attributes:
        name: unique among its siblings; holds no `/`.
        work: what to do.
        timeout: how long one attempt may take; None means no limit.
        idempotent: whether the work may begin again although it may have happened.
    """

    name: str
    work: Work
    timeout: timedelta | None = None
    idempotent: bool = False

    @property
    def attempts_when_lost(self) -> int:
        """How many attempts it may take in all when workers are lost under it."""
        return 2 if self.idempotent or may_begin_twice(self.work) else 1


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that run together, in sequence or in parallel.

    Attributes:
        name: unique among its siblings; the root's is the pipeline's name.
        order: how the children run.
        children: in the order in which they were written.
    """

    name: str
    order: Order
    children: tuple["Node", ...]


Node = Task | Group
