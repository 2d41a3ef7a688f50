"""Which statuses a run wants its forge to show. Pure; costs nothing for a run that no forge asks about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from lineshaft.engine.decision import Decision
from lineshaft.engine.duration import duration_text
from lineshaft.model.commit_status import (
    CONTEXT_PREFIX,
    CommitStatus,
    StatusState,
    StatusTarget,
    WantedStatus,
)
from lineshaft.model.node import Role
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import NodeRun, Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT

MOST_NODES: Final = 50
"""Of how many top-level nodes a forge is told; of a run with more, it is told of the run alone."""

_OUR_FAULTS: Final = frozenset(
    {
        ReasonCode.WORKER_LOST,
        ReasonCode.WORKER_STOPPED,
        ReasonCode.WORKER_ERROR,
        ReasonCode.SOURCE_REFUSED,
        ReasonCode.SOURCE_UNREACHABLE,
        ReasonCode.DOCKER_UNREACHABLE,
        ReasonCode.DISK_FULL,
        ReasonCode.REGISTRY_UNREACHABLE,
        ReasonCode.FILES_UNAVAILABLE,
        ReasonCode.CLUSTER_UNREACHABLE,
        ReasonCode.SECRETS_UNAVAILABLE,
    }
)
"""For these nobody need look at the change."""

_ENDS: Final = {
    State.SUCCEEDED: StatusState.SUCCEEDED,
    State.FAILED: StatusState.FAILED,
    State.TIMED_OUT: StatusState.FAILED,
    State.LOST: StatusState.ERROR,
    State.CANCELLED: StatusState.CANCELLED,
    State.SKIPPED: StatusState.SKIPPED,
}
_SAID: Final = {
    State.SUCCEEDED: "Succeeded",
    State.FAILED: "Failed",
    State.TIMED_OUT: "Ran out of time",
    State.LOST: "The worker was lost",
    State.CANCELLED: "Was cancelled",
    State.SKIPPED: "Was skipped",
}
_PENDING: Final = "Has not begun"
_HELD: Final = "Waits for approval"
_RUNNING: Final = "Is running"


def first_statuses(run: Run, now: datetime) -> Iterator[WantedStatus]:
    """List the statuses of a run that was just made: its own, and those of its top-level nodes."""
    target = run.origin.statuses
    if target is None:
        return
    yield _wanted(run, ROOT, target, now)
    for index in run.tree[ROOT].below:
        if _is_told(run, index):
            yield _wanted(run, index, target, now)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a forge is to show of a commit for which a run should have started, and could not.

    Attributes:
        target: where it goes.
        state: who is at fault: it failed, or we did.
        text: why none was started.
    """

    target: StatusTarget
    state: StatusState
    text: str


def notice_status(
    delivery_id: UUID, position: int, *, pipeline: str, notice: Notice, now: datetime
) -> WantedStatus:
    """Make the status of a commit for which no run was started.

    Args:
        delivery_id: which told of it.
        position: of the pipeline's outcome among those of the delivery, from 0.
        pipeline: the pipeline's name.
        notice: what to show.
        now: when.
    """
    status = CommitStatus(f"{CONTEXT_PREFIX}/{pipeline}", notice.state, notice.text)
    return WantedStatus(delivery_id, -1 - position, notice.target, status, 1, now)


def changed_statuses(before: Run, decision: Decision, now: datetime) -> Iterator[WantedStatus]:
    """List the statuses that are others than before.

    Args:
        before: the run before the decision.
        decision: what the engine has answered.
        now: when.
    """
    run = decision.run
    target = run.origin.statuses
    if target is None:
        return
    if _stand(before, ROOT) != _stand(run, ROOT):
        yield _wanted(run, ROOT, target, now)
    for index in decision.changed:
        if index == ROOT or not _is_told(run, index):
            continue
        if index >= len(before.nodes) or _stand(before, index) != _stand(run, index):
            yield _wanted(run, index, target, now)


def _is_told(run: Run, index: int) -> bool:
    place = run.tree[index]
    if place.parent != ROOT:
        return False
    return place.role is not Role.BODY or len(run.tree[ROOT].children) <= MOST_NODES


def _wanted(run: Run, index: int, target: StatusTarget, now: datetime) -> WantedStatus:
    place = run.tree[index]
    names = (CONTEXT_PREFIX, run.tree.root.name, *((place.path,) if place.path else ()))
    state, text = _stand(run, index)
    # Whatever moves a run is an event of it, so that their number grows.
    version = run.event_count + 1
    return WantedStatus(run.id, index, target, CommitStatus("/".join(names), state, text), version, now)


def _stand(run: Run, index: int) -> tuple[StatusState, str]:
    """Say how a node stands; while it has not ended, in words that change only where the state does."""
    node = run.nodes[index]
    if node.state.ended:
        return _end(node)
    if node.state is State.RUNNING or node.started_at is not None:
        return StatusState.RUNNING, _RUNNING
    return StatusState.PENDING, _HELD if run.held and index == ROOT else _PENDING


def _end(node: NodeRun) -> tuple[StatusState, str]:
    reason = node.reason
    state = _ENDS[node.state]
    if state is StatusState.FAILED and reason is not None and reason.code in _OUR_FAULTS:
        state = StatusState.ERROR
    if reason is not None:
        return state, reason.text
    if node.started_at is None or node.ended_at is None:
        return state, _SAID[node.state]
    return state, f"{_SAID[node.state]} in {duration_text(node.ended_at - node.started_at)}"
