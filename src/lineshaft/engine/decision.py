"""What the engine answers: the run as it is now, and what has to be done about it."""

from dataclasses import dataclass

from lineshaft.model.event import RunEvent
from lineshaft.model.run import Lease, Run
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind


@dataclass(frozen=True, slots=True)
class AttemptQueued:
    """A new attempt is to be claimed by a worker.

    Attributes:
        node: the node's index.
        attempt: which attempt, from 1.
        kind: what a worker must serve to claim it.
    """

    node: int
    attempt: int
    kind: WorkKind


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


Effect = AttemptQueued | AttemptStopping | AttemptEnded | RunEnded


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
