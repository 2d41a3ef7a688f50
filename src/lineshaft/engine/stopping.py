"""Stopping what goes on: a run, a group over its time limit, or what a failure takes along."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from lineshaft.engine.decision import AttemptEnded, AttemptStopping, ChildRunStopping, TimerSet
from lineshaft.engine.ending import body_ended, count_ended, end_unbegun
from lineshaft.engine.step import Chore, Step
from lineshaft.model.event import TimerPurpose
from lineshaft.model.node import Group, Task
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import NodeRun, Stop
from lineshaft.model.state import State
from lineshaft.model.tree import Place
from lineshaft.model.work import DriverWork

DRIVER_GRACE: Final = timedelta(seconds=30)
"""How long a driver that was told to stop may take to answer before the server goes on without it."""


def stop_group(step: Step, index: int, own: Stop, inner: Stop) -> None:
    """Stop a begun group, unless only its teardown still goes on, which no stop reaches.

    Args:
        step: the step.
        index: the group's.
        own: how the group itself will have ended.
        inner: how what is in it will have ended.
    """
    if body_ended(step, index):
        return
    place = step.tree[index]
    step.change(index, stop=own, reason=_stopping(own))
    step.chores.append((Chore.SETTLE, index))
    _stop_all(step, (*(() if place.setup is None else (place.setup,)), *place.children), inner)


def stop_call(step: Step, index: int, stop: Stop) -> None:
    """Stop the run that stands for a task."""
    step.change(index, stop=stop, reason=_stopping(stop))
    step.effects.append(ChildRunStopping(index, step.nodes[index].attempt, stop.reason))


def stop_attempt(step: Step, index: int, stop: Stop) -> None:
    """Stop the attempt of a task, and have its worker told, unless that was told before.

    A driver that somebody has written may be hung, or not want to hear: it gets no more than some time.
    """
    node = step.nodes[index]
    step.change(index, stop=stop, reason=_stopping(stop))
    if node.lease is None or node.stop is not None:
        return
    step.effects.append(AttemptStopping(index, node.attempt, node.lease))
    if isinstance(step.task(index).work, DriverWork):
        step.effects.append(TimerSet(index, TimerPurpose.GRACE, step.now + DRIVER_GRACE))


def stop_siblings(step: Step, group: Place, failed: Place) -> None:
    """Stop the children of a group that stops at the first failure, but for the one that failed."""
    reason = Reason(ReasonCode.FAIL_FAST, f"'{failed.node.name}' beside it did not succeed.")
    _stop_all(step, group.children, Stop(State.CANCELLED, reason))


def _stop_all(step: Step, nodes: Iterable[int], stop: Stop) -> None:
    """Stop nodes and all in them, but for the teardowns of groups that have begun.

    All is stopped before anything that follows from it is looked at, since nothing of it is to begin. The
    chores are done in reverse, so that a group settles before the one around it.
    """
    stack = list(nodes)[::-1]
    while stack:
        place = step.tree[stack.pop()]
        node = step.nodes[place.index]
        if node.state.ended or (node.stop is not None and not _is_over_its_own_limit(place, node)):
            continue
        if node.state is State.WAITING or (node.state is State.QUEUED and node.attempt):
            _end(step, place, stop)
        elif isinstance(place.node, Group):
            if body_ended(step, place.index):
                continue
            step.change(place.index, stop=stop, reason=_stopping(stop))
            step.chores.append((Chore.SETTLE, place.index))
            stack += reversed(place.children)
            if place.setup is not None:
                stack.append(place.setup)
        else:
            _stop_task(step, place.index, node, stop)


def _stop_task(step: Step, index: int, node: NodeRun, stop: Stop) -> None:
    if node.lease is None and node.stop is None:
        stop_call(step, index, stop)
    else:
        stop_attempt(step, index, stop)


def _is_over_its_own_limit(place: Place, node: NodeRun) -> bool:
    """Whether a task is being stopped for itself alone, after which it could be tried again."""
    return isinstance(place.node, Task) and node.stop is not None and node.stop.state is State.TIMED_OUT


def _end(step: Step, place: Place, stop: Stop) -> None:
    """End a node of which nothing runs, with all below it, and have the group around it count that."""
    node = step.nodes[place.index]
    if node.state is State.QUEUED:
        step.effects.append(AttemptEnded(place.index, node.attempt, stop.state))
    end_unbegun(step, place.index, stop.state, stop.reason)
    if node.failed_needs:
        step.count(place.index, failed_needs=0)
    count_ended(step, place)


def _stopping(stop: Stop) -> Reason:
    return Reason(ReasonCode.STOPPING, f"Is being stopped: {stop.reason.text}")
