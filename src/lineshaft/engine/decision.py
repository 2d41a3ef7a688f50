"""What the engine answers: the run as it is now, and what has to be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lineshaft.model.event import RunEvent, TimerPurpose
from lineshaft.model.placement import Demand
from lineshaft.model.reason import Reason
from lineshaft.model.run import Generated, Lease, Run
from lineshaft.model.state import State
from lineshaft.model.work import PipelineWork


@dataclass(frozen=True, slots=True)
class AttemptQueued:
    """A new attempt is to be claimed by a worker.

    Attributes:
        node: the node's index.
        attempt: which attempt, from 1.
        demand: what it asks of the worker that claims it.
        priority: the run's; of what waits, the highest goes first.
    """

    node: int
    attempt: int
    demand: Demand
    priority: int = 0


@dataclass(frozen=True, slots=True)
class AttemptStopping:
    """The worker of a running attempt is to be told to stop it.

    Attributes:
        node: the node's index.
        attempt: which attempt, from 1.
        lease: under which it runs.
    """

    node: int
    attempt: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An attempt is over: it can be claimed no more, and its lease, if it had one, is dead.

    Attributes:
        node: the node's index.
        attempt: which attempt, from 1.
        state: how it ended.
    """

    node: int
    attempt: int
    state: State


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over.

    Attributes:
        state: how it ended.
    """

    state: State


@dataclass(frozen=True, slots=True)
class ChildRunWanted:
    """A run of another pipeline is to be made, whose end is to be told by `ChildRunEnded`.

    Attributes:
        node: the index of the node that it is for.
        attempt: the node's attempt, from 1.
        work: which pipeline, with its inputs evaluated.
    """

    node: int
    attempt: int
    work: PipelineWork


@dataclass(frozen=True, slots=True)
class ChildRunStopping:
    """The run that was made for a node is to be cancelled.

    Attributes:
        node: the node's index.
        attempt: the node's attempt, from 1.
        reason: why.
    """

    node: int
    attempt: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class TimerSet:
    """A `TimerFired` is wanted at a time; a timer of the same node and purpose is replaced.

    Attributes:
        node: the node's index.
        purpose: what it is for.
        due_at: when.
    """

    node: int
    purpose: TimerPurpose
    due_at: datetime


@dataclass(frozen=True, slots=True)
class OutputsGiven:
    """A node has outputs now; the run carries them already.

    Attributes:
        node: the node's index.
        values: by name.
    """

    node: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TreeGrown:
    """The run has more nodes than before; the run carries them already.

    Attributes:
        number: which growth of the run it is, from 1.
        generated: what joined the tree, and where.
    """

    number: int
    generated: Generated


Effect = (
    AttemptQueued
    | AttemptStopping
    | AttemptEnded
    | RunEnded
    | ChildRunWanted
    | ChildRunStopping
    | TimerSet
    | OutputsGiven
    | TreeGrown
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of `advance`.

    Attributes:
        run: the run after the event; the very same object when the event changed nothing.
        changed: the indexes of the nodes that differ from before, ascending.
        events: what the run records of it, in order.
        effects: what has to be done about it, in order, in the transaction that writes the run.
    """

    run: Run
    changed: tuple[int, ...] = ()
    events: tuple[RunEvent, ...] = ()
    effects: tuple[Effect, ...] = ()
