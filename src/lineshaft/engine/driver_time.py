"""The time of tasks whose drivers somebody has written: the server keeps it, whatever such a driver does."""

from lineshaft.engine.attempts import end_attempt
from lineshaft.engine.decision import TimerSet
from lineshaft.engine.duration import duration_text
from lineshaft.engine.step import Step
from lineshaft.engine.stopping import stop_attempt
from lineshaft.model.event import TimerPurpose
from lineshaft.model.node import Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Stop
from lineshaft.model.state import State
from lineshaft.model.work import DriverWork


def keep_time(step: Step, index: int) -> None:
    """Have the time of an attempt told that has just been leased; workers keep that of built-in work."""
    task = step.task(index)
    if isinstance(task.work, DriverWork) and task.timeout is not None:
        step.effects.append(TimerSet(index, TimerPurpose.TIME_LIMIT, step.now + task.timeout))


def limit_attempt(step: Step, index: int, task: Task) -> None:
    """Tell a driver to stop whose time is up; nobody else is told."""
    node = step.nodes[index]
    if task.timeout is None or not isinstance(task.work, DriverWork):
        return
    if node.state is State.RUNNING and node.stop is None:
        text = f"Its driver did not answer within {duration_text(task.timeout)}."
        stop_attempt(step, index, Stop(State.TIMED_OUT, Reason(ReasonCode.TIME_LIMIT, text)))


def end_grace(step: Step, index: int, task: Task) -> None:
    """Go on without a driver that was told to stop and has not answered."""
    node = step.nodes[index]
    if node.stop is not None and node.lease is not None and isinstance(task.work, DriverWork):
        end_attempt(step, index, Outcome(State.CANCELLED, node.stop.reason))
