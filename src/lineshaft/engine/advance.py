"""`advance`: what follows from one event.

The function is total (an event that does not fit changes nothing), deterministic, and free of I/O, clock and
randomness. It touches what changed and its ancestors, not the whole run; only a cancellation, which changes
every open node, looks at them all.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from lineshaft.engine.decision import AttemptEnded, AttemptStopping, Decision
from lineshaft.engine.step import Step
from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    CancelRequested,
    ChildRunEnded,
    Event,
    RunStarted,
    SourceResolved,
    TimerFired,
)
from lineshaft.model.node import Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import NodeRun, Run, Stop
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree


def advance(run: Run, event: Event, now: datetime) -> Decision:
    """Decide what follows from an event.

    Args:
        run: the run as it was last written.
        event: what happened.
        now: when it happened, aware, in UTC.

    Returns:
        The run as it is now, and what has to be done about it; `decision.run is run` when the event is stale,
        a repeat, or otherwise without consequence.
    """
    if isinstance(event, AttemptLeased | AttemptReported | AttemptLost) and not _is_task(
        run.tree, event.node
    ):
        return Decision(run)
    step = Step(run, now)
    match event:
        case RunStarted():
            _start(step)
        case AttemptLeased():
            _lease(step, event)
        case AttemptReported():
            _report(step, event)
        case AttemptLost():
            _lose(step, event)
        case SourceResolved(commit=commit):
            _resolve(step, commit)
        case CancelRequested(reason=reason):
            _cancel(step, reason)
        case ChildRunEnded() | TimerFired():
            pass
        case _:
            assert_never(event)
    return step.decision()


def holds_lease(node: NodeRun, attempt: int, token: str) -> bool:
    """Whether a token belongs to the living lease of a node's current attempt."""
    return (
        node.state is State.RUNNING
        and node.attempt == attempt
        and node.lease is not None
        and node.lease.token == token
    )


def _is_task(tree: Tree, index: int) -> bool:
    """Whether a task, which alone has attempts, stands at an index; any number may be asked for."""
    return 0 <= index < len(tree) and isinstance(tree[index].node, Task)


def _start(step: Step) -> None:
    if step.nodes[ROOT].state is State.WAITING:
        step.begin(ROOT)


def _lease(step: Step, event: AttemptLeased) -> None:
    node = step.nodes[event.node]
    if node.state is not State.QUEUED or node.attempt != event.attempt:
        return
    step.change(
        event.node,
        state=State.RUNNING,
        reason=None,
        lease=event.lease,
        started_at=node.started_at or step.now,
    )
    step.run_ancestors(event.node)


def _report(step: Step, event: AttemptReported) -> None:
    if not holds_lease(step.nodes[event.node], event.attempt, event.token):
        return
    outcome = event.outcome
    step.end_attempt(event.node, outcome.state, _reason_of(step, outcome), outcome.exit_code)


def _reason_of(step: Step, outcome: Outcome) -> Reason | None:
    """Prefer who wanted the stop over the worker's word that it stopped."""
    if outcome.state is State.CANCELLED and step.cancel_reason is not None:
        return step.cancel_reason
    return outcome.reason


def _lose(step: Step, event: AttemptLost) -> None:
    node = step.nodes[event.node]
    if not holds_lease(node, event.attempt, event.token):
        return
    task = step.task(event.node)
    reason = Reason(ReasonCode.WORKER_LOST, "Its worker stopped answering while it ran.")
    if step.cancel_reason is None and event.attempt < task.attempts_when_lost:
        step.record(event.node, State.LOST, reason, event.attempt, None)
        step.effects.append(AttemptEnded(event.node, event.attempt, State.LOST))
        step.queue_attempt(event.node, event.attempt + 1)
    else:
        step.end_attempt(event.node, State.LOST, reason)


def _resolve(step: Step, commit: str) -> None:
    if step.source is not None and step.source.commit is None and not step.over:
        step.source = replace(step.source, commit=commit)


def _cancel(step: Step, reason: Reason) -> None:
    if step.over or step.cancel_reason is not None:
        return
    step.cancel_reason = reason
    stopping = Reason(ReasonCode.STOPPING, f"Is being stopped: {reason.text}")
    for index in list(step.open_leaves()):
        node = step.nodes[index]
        if node.state.ended:
            continue  # An earlier leaf's end has already ended this one with it.
        if node.lease is not None:
            step.change(index, stop=Stop(State.CANCELLED, reason), reason=stopping)
            step.effects.append(AttemptStopping(index, node.attempt, node.lease))
        elif node.attempt:
            step.end_attempt(index, State.CANCELLED, reason)
        else:
            step.finish(index, State.CANCELLED, reason)
