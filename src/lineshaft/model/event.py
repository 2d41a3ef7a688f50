"""Events: what goes into the engine, and what a run records of itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from lineshaft.model.node import Group
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason
from lineshaft.model.run import Lease
from lineshaft.model.state import State


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Nothing stands in the run's way any more.

    Attributes:
        time_limit: how long any run may take; None means as long as its own definition allows.
    """

    time_limit: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RunRefused:
    """The run cannot begin; one that has begun does not hear of it.

    Attributes:
        reason: why; it becomes the reason of all that is in it.
    """

    reason: Reason


@dataclass(frozen=True, slots=True)
class RunHeld:
    """The run may not begin before somebody has approved it; one that has begun does not hear of it.

    Attributes:
        reason: why; it is the run's reason until then.
    """

    reason: Reason


@dataclass(frozen=True, slots=True)
class RunApproved:
    """Somebody lets a held run begin; from here on it waits for no more than any other run.

    Attributes:
        by: the name of the user.
    """

    by: str


@dataclass(frozen=True, slots=True)
class AttemptLeased:
    """A worker has claimed a queued attempt.

    Attributes:
        node: the node's index.
        attempt: which attempt, from 1.
        lease: the worker's right to it.
    """

    node: int
    attempt: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class AttemptReported:
    """A worker has told how an attempt ended.

    Attributes:
        node: the node's index.
        attempt: which attempt, from 1.
        token: the fencing token of the lease it speaks for.
        outcome: how it ended.
        generated: the nodes that it made, read and checked; None where its task generates none, or did not
            succeed.
    """

    node: int
    attempt: int
    token: str
    outcome: Outcome
    generated: Group | None = None


@dataclass(frozen=True, slots=True)
class AttemptLost:
    """A lease has run out, or its worker has come back without it.

    Attributes:
        node: the node's index.
        attempt: which attempt, from 1.
        token: the fencing token of the lease that is lost.
        once: whether its driver has said that its work may not begin again; a task that says so itself is
            believed instead.
    """

    node: int
    attempt: int
    token: str
    once: bool = False


@dataclass(frozen=True, slots=True)
class SourceResolved:
    """The commit that the run works on is known; the first one said stands.

    Attributes:
        commit: the full commit id.
    """

    commit: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Someone or something wants the run to stop.

    Attributes:
        reason: who or what; it becomes the reason of all that did not end before.
    """

    reason: Reason


@dataclass(frozen=True, slots=True)
class ChildRunEnded:
    """The run that a node stands for has ended, or could not be made.

    Attributes:
        node: the node's index.
        attempt: for which attempt the run was made.
        outcome: how it ended.
    """

    node: int
    attempt: int
    outcome: Outcome


class TimerPurpose(StrEnum):
    """What a timer is for."""

    TIME_LIMIT = "time_limit"
    RETRY = "retry"
    GRACE = "grace"


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A time that the engine asked for has come.

    Attributes:
        node: the node's index.
        purpose: what the timer was set for.
    """

    node: int
    purpose: TimerPurpose


Event = (
    RunStarted
    | RunRefused
    | RunHeld
    | RunApproved
    | AttemptLeased
    | AttemptReported
    | AttemptLost
    | SourceResolved
    | CancelRequested
    | ChildRunEnded
    | TimerFired
)


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One line of a run's history: something has a new state.

    Attributes:
        number: counts the run's events from 1, without a gap.
        at: when it happened.
        node: the node's index; 0 says it is about the run.
        state: the new state.
        reason: why.
        attempt: the attempt it is about; 0 where it is about none.
        exit_code: of the process that ended, where one did.
    """

    RUN: ClassVar[int] = 0

    number: int
    at: datetime
    node: int
    state: State
    reason: Reason | None
    attempt: int
    exit_code: int | None
