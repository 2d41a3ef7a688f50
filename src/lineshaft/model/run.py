"""A run as the engine sees it: one trip along one definition."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lineshaft.model.node import Task
from lineshaft.model.reason import Reason
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from lineshaft.model.vector import Vector


@dataclass(frozen=True, slots=True)
class Source:
    """The source revision that a run works on.

    Attributes:
        repository: a git URL, or a path under an allowed root.
        commit: the full commit id; None until the first task has resolved it.
    """

    repository: str
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's fenced right to work on the current attempt of a node.

    Attributes:
        token: the fencing token that every write under this lease carries.
        worker_id: whose lease it is.
    """

    token: str
    worker_id: UUID


@dataclass(frozen=True, slots=True)
class NodeRun:
    """One node of a run.

    Attributes:
        state: where it stands.
        reason: why it stands there; None where that needs no words.
        attempt: how many attempts have begun to exist; 0 while it waits, and always for a group.
        lease: the current attempt's lease while it runs.
        exit_code: of the last attempt's process.
        started_at: when its first attempt, or a group's first child, began.
        ended_at: when it reached its end state.
        open_children: of a group: how many children have not ended.
        unsuccessful_children: of a group: how many ended so that the group does not succeed.
        stopping: whether its running attempt has been told to stop.
    """

    state: State = State.WAITING
    reason: Reason | None = None
    attempt: int = 0
    lease: Lease | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    open_children: int = 0
    unsuccessful_children: int = 0
    stopping: bool = False


WAITING_NODE = NodeRun()


@dataclass(frozen=True, slots=True)
class Run:
    """One trip along one version of one pipeline.

    The state of the run is the state of its root node (index 0).

    Attributes:
        id: UUIDv7.
        pipeline_id: whose run it is.
        number: counts the pipeline's runs from 1.
        definition_hash: the content hash of the definition it runs.
        tree: the definition's nodes.
        source: what it works on; None for a freestyle pipeline.
        created_at: when it was triggered.
        nodes: what each node of the tree is at, by index.
        version: how often it has been written; checked at each write.
        event_count: how many events it has recorded; the next one's number is one more.
        cancel_reason: why it is to stop; None while nobody wants that.
        retry_of: the run that this one repeats, if it does.
    """

    id: UUID
    pipeline_id: UUID
    number: int
    definition_hash: str
    tree: Tree
    source: Source | None
    created_at: datetime
    nodes: Vector[NodeRun]
    version: int = 0
    event_count: int = 0
    cancel_reason: Reason | None = None
    retry_of: UUID | None = None

    @property
    def root(self) -> NodeRun:
        """The root node, whose state is the run's."""
        return self.nodes[ROOT]

    @property
    def state(self) -> State:
        """Where the run stands."""
        return self.nodes[ROOT].state


def waiting_nodes(tree: Tree) -> Vector[NodeRun]:
    """Give every node of a tree its state before anything has begun."""
    return Vector(
        WAITING_NODE if isinstance(place.node, Task) else NodeRun(open_children=len(place.children))
        for place in tree.places
    )
