"""Retries: another attempt after an end that the definition names, now or after a wait."""

from datetime import timedelta

import pytest

from lineshaft.engine.decision import AttemptEnded, AttemptQueued, RunEnded, TimerSet
from lineshaft.model.event import TimerFired, TimerPurpose
from lineshaft.model.outcome import Outcome
from lineshaft.model.placement import Demand
from lineshaft.model.reason import ReasonCode
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import WorkKind
from trees import sequence, task
from watched_run import FAILED, STOPPED, SUCCEEDED, TIMED_OUT, WatchedRun

SLOWLY = Retry(2, backoff=timedelta(seconds=20))


def begun(retry: Retry, kind: WorkKind = WorkKind.RUN, *, idempotent: bool | None = None) -> WatchedRun:
    watched = WatchedRun(Tree(sequence(task("only", kind, retry=retry, idempotent=idempotent), "after")))
    watched.start()
    return watched


@pytest.mark.parametrize("outcome", [FAILED, TIMED_OUT])
def test_a_task_is_tried_again_at_once_where_no_wait_is_asked_for(outcome: Outcome) -> None:
    watched = begun(Retry(1))
    decision = watched.do("only", outcome)
    assert decision.effects == (AttemptEnded(1, 1, outcome.state), AttemptQueued(1, 2, Demand(WorkKind.RUN)))
    assert [(event.state, event.attempt) for event in decision.events] == [
        (outcome.state, 1),
        (State.QUEUED, 2),
    ]


def test_the_last_attempt_s_end_is_the_task_s() -> None:
    watched = begun(Retry(1))
    watched.do("only", FAILED)
    watched.do("only", TIMED_OUT)
    assert watched.state("only") is State.TIMED_OUT
    assert watched.state("after") is State.SKIPPED


def test_a_later_success_lets_the_run_go_on() -> None:
    watched = begun(Retry(1))
    watched.do("only", FAILED)
    watched.do("only", SUCCEEDED)
    assert watched.state("after") is State.QUEUED


def test_a_task_waits_before_it_is_tried_again() -> None:
    watched = begun(SLOWLY)
    decision = watched.do("only", FAILED)
    due_at = watched.clock.now() + timedelta(seconds=20)
    assert decision.effects == (AttemptEnded(1, 1, State.FAILED), TimerSet(1, TimerPurpose.RETRY, due_at))
    reason = watched.reason("only")
    assert reason is not None
    assert reason.code is ReasonCode.WAITING_FOR_RETRY
    assert reason.text == "Tries again in 20 s: attempt 2 of 3."
    assert watched.run.state is State.RUNNING


def test_the_wait_doubles() -> None:
    watched = begun(SLOWLY)
    watched.do("only", FAILED)
    watched.fire("only", TimerPurpose.RETRY)
    watched.do("only", FAILED)
    assert watched.queue.timers[1, TimerPurpose.RETRY] == watched.clock.now() + timedelta(seconds=40)


def test_a_waiting_task_is_queued_when_its_time_has_come() -> None:
    watched = begun(SLOWLY)
    watched.do("only", FAILED)
    assert watched.fire("only", TimerPurpose.RETRY).effects == (AttemptQueued(1, 2, Demand(WorkKind.RUN)),)


def test_a_timer_for_a_task_that_does_not_wait_changes_nothing() -> None:
    watched = begun(SLOWLY)
    run = watched.run
    assert watched.send(TimerFired(1, TimerPurpose.RETRY)).run is run
    assert watched.send(TimerFired(2, TimerPurpose.RETRY)).run is run


def test_a_task_that_waits_to_be_tried_again_ends_with_a_cancellation() -> None:
    watched = begun(SLOWLY)
    watched.do("only", FAILED)
    assert watched.cancel().effects == (RunEnded(State.CANCELLED),)
    assert watched.state("only") is State.CANCELLED


def test_a_task_that_fails_while_it_is_stopped_is_not_tried_again() -> None:
    watched = begun(Retry(3))
    watched.lease("only")
    watched.cancel()
    watched.report("only", FAILED)
    assert watched.state("only") is State.FAILED


def test_an_end_that_the_definition_does_not_name_is_final() -> None:
    watched = begun(Retry(1, frozenset({State.TIMED_OUT})))
    watched.do("only", FAILED)
    assert watched.state("only") is State.FAILED


def test_an_exit_code_can_be_named() -> None:
    watched = begun(Retry(1, frozenset(), frozenset({1})))
    watched.do("only", FAILED)
    assert watched.state("only") is State.QUEUED


def test_a_task_that_its_worker_stopped_is_not_tried_again() -> None:
    watched = begun(Retry(1))
    watched.do("only", STOPPED)
    assert watched.state("only") is State.CANCELLED


def test_a_lost_worker_does_not_use_up_the_retries() -> None:
    watched = begun(Retry(1))
    watched.lease("only")
    watched.lose("only")
    assert watched.node("only").losses == 1
    watched.do("only", FAILED)
    assert watched.state("only") is State.QUEUED
    watched.do("only", FAILED)
    assert watched.state("only") is State.FAILED


def test_a_second_lost_worker_uses_a_retry_where_losses_are_named() -> None:
    watched = begun(Retry(1, frozenset({State.LOST})))
    for _ in range(2):
        watched.lease("only")
        watched.lose("only")
    assert watched.state("only") is State.QUEUED
    watched.lease("only")
    watched.lose("only")
    assert watched.state("only") is State.LOST


def test_a_deploy_is_never_tried_again() -> None:
    watched = begun(Retry(3), WorkKind.DEPLOY)
    watched.do("only", FAILED)
    assert watched.state("only") is State.FAILED


def test_a_deploy_that_is_marked_idempotent_is_tried_again() -> None:
    watched = begun(Retry(3), WorkKind.DEPLOY, idempotent=True)
    watched.do("only", FAILED)
    assert watched.state("only") is State.QUEUED
