"""A run as the engine sees it: one trip along one definition."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.cause import Cause
from lineshaft.model.merge import Merge
from lineshaft.model.origin import NO_ORIGIN, Origin
from lineshaft.model.reason import Reason
from lineshaft.model.resource import Subject
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place, Tree
from lineshaft.model.value import Value
from lineshaft.model.vector import Vector


@dataclass(frozen=True, slots=True)
class Source:
    """The source revision that a run works on.

    Attributes:
        repository: a git URL, or a path under an allowed root.
        commit: the full commit id; None until the first task has resolved it.
        ref: the branch, tag or commit that was asked for; None means the default branch.
        branch: the branch's name, where it is known to be one.
        tag: the tag's name, where it is known to be one.
        message: the commit's message, where known.
        author: the commit's author, where known.
        changeset: the paths that changed, in the source's own order; None where they are not known.
        merge: how the commit comes to be; None where the repository has it.
    """

    repository: str
    commit: str | None = None
    ref: str | None = None
    branch: str = ""
    tag: str = ""
    message: str = ""
    author: str = ""
    changeset: tuple[str, ...] | None = None
    merge: Merge | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Why something that runs is being stopped, and how it will have ended.

    Attributes:
        state: `cancelled`, or `timed_out` for a group that is over its time limit.
        reason: who or what wanted it.
    """

    state: State
    reason: Reason


@dataclass(frozen=True, slots=True)
class Generated:
    """Nodes that a task made while the run was going.

    Attributes:
        node: the index of the group whose body they are.
        text: as the task wrote them.
    """

    node: int
    text: str


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
        open_children: of a group: how many children of its body have not ended.
        unsuccessful_children: of a group: how many of the nodes directly below it, setup and teardown
            included, ended so that it does not succeed.
        open_needs: of a child of a graph that has not ended: how many of the nodes that it needs have not
            ended.
        failed_needs: of a child of a graph that has not ended: how many of the nodes that it needs failed, or
            stand behind one that did.
        losses: how many of its attempts were lost and followed by another for that.
        stop: why it is being stopped; None while nobody wants that.
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
    open_needs: int = 0
    failed_needs: int = 0
    losses: int = 0
    stop: Stop | None = None

    @property
    def stopping(self) -> bool:
        """Whether it has been told to stop."""
        return self.stop is not None


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
        inputs: what it was started with, by name, defaults included.
        cause: what started it, as expressions see it in `event`.
        priority: of what waits for a worker, the tasks of the run with the highest go first.
        parent: the attempt that this run stands for, where another run's node called its pipeline.
        concurrency_group: only runs of the pipeline with the same text here wait for, or supersede, each
            other; None where it has nothing to do with others.
        generated: the nodes that were made while it went on, in the order in which they joined the tree.
        outputs: what its nodes gave to later ones, by index; the root's are what the run tells its caller.
        untrusted: whether the change that it works on is not trusted, as one from a fork is not.
        origin: where it comes from, beyond its cause.
        held: whether it may not begin before somebody has approved it.
        approved_by: who has; empty where nobody had to, or has.
        subject: what it carries to drivers: a change of a resource, or a message; None where it carries
            nothing.
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
    inputs: Mapping[str, Value] = field(default_factory=dict)
    cause: Cause = Cause.MANUAL
    priority: int = 0
    parent: AttemptAddress | None = None
    concurrency_group: str | None = ""
    generated: tuple[Generated, ...] = ()
    outputs: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    untrusted: bool = False
    origin: Origin = NO_ORIGIN
    held: bool = False
    approved_by: str = ""
    subject: Subject | None = None

    @property
    def approvable_commit(self) -> str | None:
        """The commit that an approval of it is for: a pull request's head, or else what it works on."""
        return self.origin.head_commit or (None if self.source is None else self.source.commit)

    @property
    def root(self) -> NodeRun:
        """The root node, whose state is the run's."""
        return self.nodes[ROOT]

    @property
    def state(self) -> State:
        """Where the run stands."""
        return self.nodes[ROOT].state


def waiting_nodes(tree: Tree, first: int = 0) -> Vector[NodeRun]:
    """Give the nodes of a tree, from an index on, their state before anything has begun."""
    return Vector(_waiting(place) for place in tree.places[first:])


def _waiting(place: Place) -> NodeRun:
    children = len(place.children)
    needs = len(place.needs)
    return NodeRun(open_children=children, open_needs=needs) if children or needs else WAITING_NODE
