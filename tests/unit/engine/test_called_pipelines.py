"""A task that calls another pipeline: a run of its own stands for each attempt."""

from datetime import timedelta

from lineshaft.engine.decision import ChildRunStopping, ChildRunWanted
from lineshaft.model.event import ChildRunEnded, TimerPurpose
from lineshaft.model.node import Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import PipelineWork
from trees import sequence
from watched_run import BY_USER, FAILED, STOPPED, SUCCEEDED, WatchedRun

MINUTE = timedelta(minutes=1)
LIMIT = TimerPurpose.TIME_LIMIT
WORK = PipelineWork("other", {"count": "${{ 1 + 2 }}", "level": "full"})


def begun(task: Task) -> WatchedRun:
    watched = WatchedRun(Tree(sequence(task, "after")))
    watched.start()
    return watched


def test_a_run_of_the_other_pipeline_is_asked_for_with_inputs_of_their_own_type() -> None:
    watched = begun(Task("call", WORK, has_expressions=True))
    given = PipelineWork("other", {"count": 3, "level": "full"})
    assert watched.queue.calls == {(1, 1)}
    assert watched.state("call") is State.RUNNING
    assert watched.code("call") is ReasonCode.WAITING_FOR_CHILD_RUN
    assert watched.run.state is State.RUNNING
    again = WatchedRun(Tree(sequence(Task("call", WORK, has_expressions=True))))
    assert again.start().effects == (ChildRunWanted(1, 1, given),)


def test_the_task_ends_as_that_run_does() -> None:
    watched = begun(Task("call", WORK))
    watched.end_call("call", SUCCEEDED)
    assert watched.state("after") is State.QUEUED


def test_all_outputs_of_that_run_become_the_task_s() -> None:
    watched = begun(Task("call", WORK))
    watched.end_call("call", Outcome(State.SUCCEEDED, outputs={"image": "shop:1"}))
    assert watched.run.outputs == {1: {"image": "shop:1"}}


def test_a_failed_run_of_the_other_pipeline_is_tried_again_where_that_is_wanted() -> None:
    watched = begun(Task("call", WORK, retry=Retry(1)))
    watched.end_call("call", FAILED)
    assert watched.queue.calls == {(1, 2)}
    watched.end_call("call", FAILED)
    assert watched.state("call") is State.FAILED


def test_a_cancellation_is_carried_down() -> None:
    watched = begun(Task("call", WORK))
    assert watched.cancel().effects == (ChildRunStopping(1, 1, BY_USER),)
    watched.end_call("call", STOPPED)
    assert watched.node("call").reason == BY_USER
    assert watched.run.state is State.CANCELLED


def test_a_run_of_the_other_pipeline_that_takes_too_long_is_stopped() -> None:
    watched = begun(Task("call", WORK, timeout=MINUTE))
    assert watched.queue.timers == {(1, LIMIT): watched.clock.now() + MINUTE}
    (effect,) = watched.fire("call", LIMIT).effects
    assert isinstance(effect, ChildRunStopping)
    assert effect.reason.code is ReasonCode.TIME_LIMIT
    watched.end_call("call", STOPPED)
    assert (watched.state("call"), watched.code("call")) == (State.TIMED_OUT, ReasonCode.TIME_LIMIT)
    assert watched.state("after") is State.SKIPPED


def test_a_run_of_the_other_pipeline_that_took_too_long_is_tried_again_where_that_is_wanted() -> None:
    watched = begun(Task("call", WORK, timeout=MINUTE, retry=Retry(1)))
    watched.fire("call", LIMIT)
    watched.end_call("call", STOPPED)
    assert watched.queue.calls == {(1, 2)}
    watched.end_call("call", SUCCEEDED)
    assert watched.state("call") is State.SUCCEEDED


def test_a_run_that_is_cancelled_does_not_try_a_call_again_that_took_too_long() -> None:
    watched = begun(Task("call", WORK, timeout=MINUTE, retry=Retry(1)))
    watched.fire("call", LIMIT)
    watched.cancel()
    watched.end_call("call", STOPPED)
    assert watched.state("call") is State.CANCELLED
    assert watched.run.state is State.CANCELLED


def test_a_limit_that_passes_after_the_call_s_end_changes_nothing() -> None:
    watched = begun(Task("call", WORK, timeout=MINUTE))
    watched.end_call("call", SUCCEEDED)
    run = watched.run
    assert watched.fire("call", LIMIT).run is run


def test_the_end_of_another_attempt_s_run_changes_nothing() -> None:
    watched = begun(Task("call", WORK))
    run = watched.run
    assert watched.send(ChildRunEnded(1, 2, SUCCEEDED)).run is run
    assert watched.send(ChildRunEnded(2, 1, SUCCEEDED)).run is run
    assert watched.send(ChildRunEnded(-1, 1, SUCCEEDED)).run is run


def test_inputs_that_cannot_be_evaluated_fail_the_task() -> None:
    work = PipelineWork("other", {"count": "${{ inputs.nothing }}"})
    watched = begun(Task("call", work, has_expressions=True))
    assert watched.code("call") is ReasonCode.EXPRESSION_FAILED
