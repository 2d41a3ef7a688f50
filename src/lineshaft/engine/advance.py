"""`advance`: what follows from one event.

The function is total (an event that does not fit changes nothing), deterministic, and free of I/O, clock and
randomness. It touches what changed and its ancestors, not the whole run; only a stop, which changes every
open node of its scope, looks at them all.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from lineshaft.engine.attempts import begin_attempt, end_attempt, lose_attempt, run_node
from lineshaft.engine.beginning import begin, do_chores
from lineshaft.engine.decision import Decision, TimerSet
from lineshaft.engine.driver_time import end_grace, keep_time, limit_attempt
from lineshaft.engine.duration import duration_text
from lineshaft.engine.ending import refuse
from lineshaft.engine.growth import grow
from lineshaft.engine.step import Step
from lineshaft.engine.stopping import stop_call, stop_group
from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    CancelRequested,
    ChildRunEnded,
    Event,
    RunApproved,
    RunHeld,
    RunRefused,
    RunStarted,
    SourceResolved,
    TimerFired,
    TimerPurpose,
)
from lineshaft.model.node import Group, Task
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import NodeRun, Run, Stop
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from lineshaft.model.work import PipelineWork

_ABOUT_TASKS: Final = (AttemptLeased, AttemptReported, AttemptLost, ChildRunEnded)


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
    if isinstance(event, _ABOUT_TASKS) and not _is_task(run.tree, event.node):
        return Decision(run)
    step = Step(run, now)
    match event:
        case RunStarted() | RunRefused() | RunHeld() | RunApproved():
            _open(step, event)
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
        case ChildRunEnded():
            _end_call(step, event)
        case TimerFired():
            _fire(step, event)
        case _:
            assert_never(event)
    do_chores(step)
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


def _open(step: Step, event: RunStarted | RunRefused | RunHeld | RunApproved) -> None:
    """Do what is said to a run that has not begun; one that has hears nothing of it."""
    if step.nodes[ROOT].state is not State.WAITING:
        return
    match event:
        case RunStarted(time_limit=time_limit) if not step.held:
            _start(step, time_limit)
        case RunRefused(reason=reason):
            refuse(step, ROOT, State.FAILED, reason)
        case RunHeld(reason=reason) if not step.held and not step.approved_by:
            step.held = True
            step.change(ROOT, state=State.WAITING, reason=reason)
        case RunApproved(by=by) if step.held and by:
            step.held, step.approved_by = False, by
            step.change(ROOT, state=State.WAITING, reason=None)
        case _:
            pass  # It is a repeat, or too early.


def _start(step: Step, time_limit: timedelta | None) -> None:
    limits = [limit for limit in (step.tree.root.timeout, time_limit) if limit is not None]
    if limits:
        step.effects.append(TimerSet(ROOT, TimerPurpose.TIME_LIMIT, step.now + min(limits)))
    begin(step, ROOT)


def _lease(step: Step, event: AttemptLeased) -> None:
    node = step.nodes[event.node]
    if node.state is State.QUEUED and node.attempt == event.attempt:
        run_node(step, event.node, lease=event.lease)
        keep_time(step, event.node)


def _report(step: Step, event: AttemptReported) -> None:
    if not holds_lease(step.nodes[event.node], event.attempt, event.token):
        return
    stop = step.nodes[event.node].stop
    end_attempt(step, event.node, event.outcome)
    if event.generated is not None and event.outcome.state is State.SUCCEEDED:
        grow(step, event.node, event.generated, event.outcome.generated or "", stop)


def _lose(step: Step, event: AttemptLost) -> None:
    if holds_lease(step.nodes[event.node], event.attempt, event.token):
        lose_attempt(step, event.node, once=event.once)


def _end_call(step: Step, event: ChildRunEnded) -> None:
    node = step.nodes[event.node]
    called = isinstance(step.task(event.node).work, PipelineWork)
    if called and node.state is State.RUNNING and node.attempt == event.attempt:
        end_attempt(step, event.node, event.outcome)


def _resolve(step: Step, commit: str) -> None:
    if step.source is not None and step.source.commit is None and not step.over:
        step.source = replace(step.source, commit=commit)


def _cancel(step: Step, reason: Reason) -> None:
    if step.over or step.cancel_reason is not None:
        return
    step.cancel_reason = reason
    root = step.nodes[ROOT]
    if root.state is State.WAITING:
        refuse(step, ROOT, State.CANCELLED, reason)
    elif root.stop is None:
        stop = Stop(State.CANCELLED, reason)
        stop_group(step, ROOT, stop, stop)


def _fire(step: Step, event: TimerFired) -> None:
    if not 0 <= event.node < len(step.tree):
        return
    match event.purpose:
        case TimerPurpose.RETRY:
            _retry(step, event.node)
        case TimerPurpose.TIME_LIMIT:
            _limit(step, event.node)
        case TimerPurpose.GRACE:
            _end_grace(step, event.node)
        case _:
            assert_never(event.purpose)


def _retry(step: Step, index: int) -> None:
    node = step.nodes[index]
    if node.state is State.WAITING and node.attempt:
        begin_attempt(step, index)


def _limit(step: Step, index: int) -> None:
    """Stop what is over its time limit: a group, the run that stands for a task, or a driver's attempt."""
    node = step.nodes[index]
    group = step.tree[index].node
    if isinstance(group, Task):
        _limit_call(step, index, group)
        limit_attempt(step, index, group)
        return
    if node.stop is not None or not _is_limited(index, group, node):
        return
    if index == ROOT:
        reason = Reason(ReasonCode.TIME_LIMIT, "The run took longer than its time limit.")
        inner = Reason(ReasonCode.GROUP_TIME_LIMIT, reason.text)
    else:
        reason = Reason(ReasonCode.TIME_LIMIT, "Took longer than its time limit.")
        inner = Reason(ReasonCode.GROUP_TIME_LIMIT, f"'{group.name}' took longer than its time limit.")
    stop_group(step, index, Stop(State.TIMED_OUT, reason), Stop(State.CANCELLED, inner))


def _end_grace(step: Step, index: int) -> None:
    task = step.tree[index].node
    if isinstance(task, Task):
        end_grace(step, index, task)


def _limit_call(step: Step, index: int, task: Task) -> None:
    node = step.nodes[index]
    called = isinstance(task.work, PipelineWork) and node.state is State.RUNNING and node.stop is None
    if called and task.timeout is not None:
        text = f"It did not end within {duration_text(task.timeout)}."
        stop_call(step, index, Stop(State.TIMED_OUT, Reason(ReasonCode.TIME_LIMIT, text)))


def _is_limited(index: int, group: Group, node: NodeRun) -> bool:
    """Whether its time limit can have passed: the run's counts from its start, others' from a task's."""
    if index == ROOT:
        return node.state in (State.QUEUED, State.RUNNING)
    return node.state is State.RUNNING and group.timeout is not None
