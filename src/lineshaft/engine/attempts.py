"""Attempts: offered, begun, ended, and followed by another where that is safe and wanted."""

from datetime import timedelta
from typing import Final

from lineshaft.engine.decision import AttemptEnded, AttemptQueued, ChildRunWanted, TimerSet
from lineshaft.engine.duration import duration_text
from lineshaft.engine.ending import TOLD, body_ended, finish
from lineshaft.engine.outputs import take_outputs, take_result
from lineshaft.engine.rendering import rendered_task
from lineshaft.engine.step import QUEUED_REASON, Step
from lineshaft.engine.turn import expression_failed
from lineshaft.model.errors import ExpressionError
from lineshaft.model.event import TimerPurpose
from lineshaft.model.node import Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.placement import LONGEST_LABEL, MOST_LABELS, is_label
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import NodeRun
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT
from lineshaft.model.work import DriverWork, PipelineWork

WORKER_LOST: Final = Reason(ReasonCode.WORKER_LOST, "Its worker stopped answering while it ran.")
"""Why an attempt ended whose worker does not answer any more."""

LOSSES_MADE_GOOD: Final = 1
"""How many losses of a task are each followed by another attempt, whatever its `retry` says."""

WAIT_AFTER_TROUBLE: Final = timedelta(seconds=10)
"""How long a task waits whose worker has told that it could not do it: the trouble may be there still."""

_WORKER_LOST: Final = Outcome(State.LOST, WORKER_LOST)
_SHOWN_CHARACTERS: Final = 80


def begin_attempt(step: Step, index: int, losses: int | None = None) -> None:
    """Offer the next attempt of a task to the workers, or ask for the run that a task calls.

    Args:
        step: the step.
        index: the task's.
        losses: how many of its attempts were lost by now, where this one follows a loss.
    """
    node, task = step.nodes[index], step.task(index)
    try:
        if task.has_expressions:
            task = rendered_task(step.run_now(), index)
    except ExpressionError as error:
        finish(step, index, State.FAILED, expression_failed(error))
        return
    if isinstance(task.work, PipelineWork):
        _call(step, index, node.attempt + 1, task.work)
        return
    refusal = _unfit_labels(task.surroundings.labels)
    if refusal is not None:
        finish(step, index, State.FAILED, refusal)
        return
    step.change(
        index,
        state=State.QUEUED,
        reason=QUEUED_REASON,
        attempt=node.attempt + 1,
        lease=None,
        exit_code=None,
        losses=node.losses if losses is None else losses,
    )
    step.effects.append(AttemptQueued(index, node.attempt + 1, task.demand, step.before.priority))


def _unfit_labels(labels: tuple[str, ...]) -> Reason | None:
    """Tell what is wrong with the labels of a task; None where they may be asked of a worker."""
    if len(labels) > MOST_LABELS:
        text = f"It asks for {len(labels):,} labels, and a task may ask for {MOST_LABELS}."
        return Reason(ReasonCode.EXPRESSION_FAILED, text)
    wrong = next((label for label in labels if not is_label(label)), None)
    if wrong is None:
        return None
    shown = wrong if len(wrong) <= _SHOWN_CHARACTERS else f"{wrong[:_SHOWN_CHARACTERS]}..."
    text = (
        f"It asks for the label {shown!r}, which is none: a label has 1 to {LONGEST_LABEL} letters, digits"
        " and _.:/=+-, and begins with a letter, a digit or _."
    )
    return Reason(ReasonCode.EXPRESSION_FAILED, text)


def _call(step: Step, index: int, attempt: int, work: PipelineWork) -> None:
    reason = Reason(ReasonCode.WAITING_FOR_CHILD_RUN, f"Waits for its run of '{work.pipeline}' to end.")
    run_node(step, index, reason=reason, attempt=attempt, exit_code=None)
    step.effects.append(ChildRunWanted(index, attempt, work))
    # No worker keeps the time of a call.
    timeout = step.task(index).timeout
    if timeout is not None:
        step.effects.append(TimerSet(index, TimerPurpose.TIME_LIMIT, step.now + timeout))


def run_node(step: Step, index: int, **fields: object) -> None:
    """Show a task as running, and every group around it."""
    started_at = step.nodes[index].started_at or step.now
    step.change(index, **{"state": State.RUNNING, "reason": None, "started_at": started_at, **fields})
    parent = step.tree[index].parent
    while parent is not None and step.nodes[parent].state is State.QUEUED:
        _run_group(step, parent)
        parent = step.tree[parent].parent


def _run_group(step: Step, index: int) -> None:
    node, group = step.nodes[index], step.group(index)
    told = node.reason is not None and node.reason.code in TOLD
    step.change(index, state=State.RUNNING, reason=node.reason if told else None, started_at=step.now)
    # The run's own limit counts from its start, and so does that of a group only while its body goes on.
    if group.timeout is not None and index != ROOT and not body_ended(step, index):
        step.effects.append(TimerSet(index, TimerPurpose.TIME_LIMIT, step.now + group.timeout))


def end_attempt(step: Step, index: int, outcome: Outcome) -> None:
    """End the running attempt of a task as its driver says: with the task, or with another to follow."""
    node, task = step.nodes[index], step.task(index)
    is_driver = isinstance(task.work, DriverWork)
    over_time = node.stop is not None and node.stop.state is State.TIMED_OUT
    if node.stop is not None and over_time and (is_driver or outcome.state is State.CANCELLED):
        # Its own time limit ended it, after which it may be tried again, unlike after any other stop. What a
        # driver answers then comes too late.
        outcome = Outcome(State.TIMED_OUT, node.stop.reason)
        node = step.change(index, stop=None)
    if outcome.state is State.LOST:
        lose_attempt(step, index, outcome, WAIT_AFTER_TROUBLE)
        return
    _note_ended(step, index, node, task, outcome.state)
    if outcome.state is State.SUCCEEDED:
        take_outputs(step, index, task, outcome)
    elif node.stop is None and _try_again(step, index, outcome):
        return
    elif is_driver:
        take_result(step, index, outcome)
    if node.stop is not None and outcome.state is State.CANCELLED:
        finish(step, index, node.stop.state, node.stop.reason, outcome.exit_code)
    else:
        finish(step, index, outcome.state, outcome.reason, outcome.exit_code)


def lose_attempt(
    step: Step,
    index: int,
    outcome: Outcome = _WORKER_LOST,
    wait: timedelta = timedelta(),
    *,
    once: bool = False,
) -> None:
    """End an attempt that is lost: the task is tried again by itself where that does no harm.

    Args:
        step: the step.
        index: the task's.
        outcome: how it was lost.
        wait: how long the task then waits before it is tried again by itself.
        once: whether its driver says that it may not be, where the task itself does not say.
    """
    node, task = step.nodes[index], step.task(index)
    if node.stop is not None and isinstance(task.work, DriverWork):
        # It was told to stop, and that is how it ends.
        end_attempt(step, index, Outcome(State.CANCELLED, node.stop.reason))
        return
    _note_ended(step, index, node, task, State.LOST)
    if node.stop is None:
        may = task.may_begin_again and not (once and task.idempotent is None)
        if node.losses < LOSSES_MADE_GOOD and (may or not outcome.begun):
            _follow(step, index, outcome, wait, losses=node.losses + 1)
            return
        if _try_again(step, index, outcome):
            return
    finish(step, index, State.LOST, outcome.reason, outcome.exit_code)


def _note_ended(step: Step, index: int, node: NodeRun, task: Task, state: State) -> None:
    # A called run is no attempt that a worker could claim, so nobody keeps it as one.
    if not isinstance(task.work, PipelineWork):
        step.effects.append(AttemptEnded(index, node.attempt, state))


def _try_again(step: Step, index: int, outcome: Outcome) -> bool:
    """Have another attempt follow one that has not succeeded, as `retry` says; False where none may."""
    node, task = step.nodes[index], step.task(index)
    retry, number = task.retry, node.attempt - node.losses
    if retry is None or number > retry.count or not (task.may_begin_again or not outcome.begun):
        return False
    if not retry.covers(outcome):
        return False
    _follow(step, index, outcome, retry.wait(number), losses=node.losses)
    return True


def _follow(step: Step, index: int, outcome: Outcome, wait: timedelta, losses: int) -> None:
    """Have another attempt follow one that has ended, at once or after a wait."""
    node, retry = step.nodes[index], step.task(index).retry
    step.record(index, outcome.state, outcome.reason, node.attempt, outcome.exit_code)
    if not wait:
        begin_attempt(step, index, losses=losses)
        return
    total = 1 + losses + (0 if retry is None else retry.count)
    text = f"Tries again in {duration_text(wait)}: attempt {node.attempt + 1} of {total}."
    step.change(
        index,
        state=State.WAITING,
        reason=Reason(ReasonCode.WAITING_FOR_RETRY, text),
        lease=None,
        exit_code=outcome.exit_code,
        losses=losses,
    )
    step.effects.append(TimerSet(index, TimerPurpose.RETRY, step.now + wait))
