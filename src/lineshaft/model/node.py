"""The nodes of a pipeline: tasks, and groups of nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from lineshaft.model.condition import Condition
from lineshaft.model.placement import Demand
from lineshaft.model.retry import Retry
from lineshaft.model.surroundings import NO_SURROUNDINGS, Surroundings
from lineshaft.model.value import Bindings
from lineshaft.model.work import SourceBuildWork, Work, kind_of, may_begin_twice


class Order(StrEnum):
    """How the children of a group run."""

    SEQUENCE = "sequence"
    PARALLEL = "parallel"
    GRAPH = "graph"


class Role(StrEnum):
    """What a node is to the group around it."""

    BODY = "body"
    SETUP = "setup"
    TEARDOWN = "teardown"


@dataclass(frozen=True, slots=True)
class Task:
    """A leaf: work for a driver.

    Attributes:
        name: unique among its siblings; holds no `/`.
        work: what to do.
        timeout: how long one attempt may take; None means no limit.
        idempotent: whether the work may begin again although it may have happened; None leaves that to the
            kind of work.
        condition: when it is to run; None means when nothing before it failed.
        needs: the names of siblings that must have ended before; only a graph heeds them.
        allow_failure: whether its parent goes on, and succeeds, when it does not.
        retry: when it is tried again after it did not succeed; None means never.
        surroundings: what it finds around it.
        bindings: what expressions in it see besides the run.
        has_expressions: whether `${{ }}` may stand in its work or surroundings; without it they are taken as
            they are.
    """

    name: str
    work: Work
    timeout: timedelta | None = None
    idempotent: bool | None = None
    condition: Condition | None = None
    needs: tuple[str, ...] = ()
    allow_failure: bool = False
    retry: Retry | None = None
    surroundings: Surroundings = NO_SURROUNDINGS
    bindings: Bindings | None = None
    has_expressions: bool = False

    @property
    def may_begin_again(self) -> bool:
        """Whether its work may begin once more after it may have happened."""
        return may_begin_twice(self.work) if self.idempotent is None else self.idempotent

    @property
    def wanted_secrets(self) -> tuple[str, ...]:
        """The names of all secrets that its worker needs for it."""
        built = self.work.secrets if isinstance(self.work, SourceBuildWork) else ()
        around = self.surroundings
        return tuple(dict.fromkeys((*around.secrets, *around.lent_secrets, *built)))

    @property
    def demand(self) -> Demand:
        """What it asks of the worker that takes it, once its expressions are evaluated."""
        around = self.surroundings
        resources = around.resources
        return Demand(kind_of(self.work), around.labels, resources.cpus or 0, resources.memory_bytes or 0)


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that run together.

    Attributes:
        name: unique among its siblings; the root's is the pipeline's name.
        order: how the children of the body run.
        children: the body, in the order in which it was written.
        setup: runs before the body, which is skipped when it does not succeed; None where there is none. The
            one of a group that `generates` is the task that makes the children.
        teardown: runs behind the body, whatever happened there, once the group has begun.
        timeout: how long it may take from its first start to the body's end; None means no limit.
        condition: when it is to run; None means when nothing before it failed.
        needs: the names of siblings that must have ended before; only a graph heeds them.
        allow_failure: whether its parent goes on, and succeeds, when it does not.
        fail_fast: whether the first child that does not succeed stops the others.
        carries_outputs: whether the outputs of its body's only child, or of the setup that generates its
            body, are its own.
        generates: the path of the file in which its setup writes the nodes that become its body; None where
            the body was written.
        outputs: of the root: what the run tells the pipeline that called it, as templates by name.
        metadata: of the root: texts by name that the drivers of the pipeline share.
        bindings: what expressions in it see besides the run.
    """

    name: str
    order: Order
    children: tuple["Node", ...]
    setup: "Node | None" = None
    teardown: "Node | None" = None
    timeout: timedelta | None = None
    condition: Condition | None = None
    needs: tuple[str, ...] = ()
    allow_failure: bool = False
    fail_fast: bool = False
    carries_outputs: bool = False
    generates: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    bindings: Bindings | None = None


Node = Task | Group

DEFAULT_TEARDOWN_TIMEOUT: Final = timedelta(minutes=5)
"""How long a teardown may take that does not say."""
