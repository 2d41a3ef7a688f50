"""Tasks of drivers that somebody has written: their answers, and the time that the server keeps for them."""

from datetime import timedelta
from typing import Any

import pytest

from lineshaft.engine.decision import AttemptStopping, TimerSet
from lineshaft.engine.scope import scope_of
from lineshaft.engine.stopping import DRIVER_GRACE
from lineshaft.expression import parse
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.event import AttemptLost, TimerFired, TimerPurpose
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import WorkKind
from trees import driven, parallel, sequence, task
from watched_run import FAILED, STOPPED, SUCCEEDED, UNBEGUN, WatchedRun

MINUTE = timedelta(minutes=1)
LIMIT, GRACE = TimerPurpose.TIME_LIMIT, TimerPurpose.GRACE
DATA = {"artifact": "shop.tar", "sizes": [1, {"text": "é"}]}
ANSWERED = Outcome(State.SUCCEEDED, result=DriverResult(success=True, message="compiled", data=DATA))
REFUSED = Outcome(
    State.FAILED,
    Reason(ReasonCode.DRIVER_FAILED, "No such image."),
    result=DriverResult(success=False, message="No such image.", data={"tried": 3}),
)


def begun(*, timeout: timedelta | None = MINUTE, **fields: Any) -> WatchedRun:
    watched = WatchedRun(Tree(sequence(driven("compile", timeout=timeout, **fields), "after", name="root")))
    watched.start()
    return watched


def answer_of(watched: WatchedRun, expression: str) -> object:
    return parse(expression).value(scope_of(watched.run, watched.place("after").index))


def test_later_nodes_see_what_a_driver_has_answered_with_its_types() -> None:
    watched = begun()
    watched.do("compile", ANSWERED)
    assert answer_of(watched, "outputs.compile.artifact") == "shop.tar"
    assert answer_of(watched, "outputs.compile.sizes[1].text") == "é"
    assert answer_of(watched, "outputs.compile.sizes[0] + 1") == 2


def test_a_failed_answer_fails_the_task_and_is_kept() -> None:
    watched = begun()
    watched.do("compile", REFUSED)
    assert watched.code("compile") is ReasonCode.DRIVER_FAILED
    assert watched.state("after") is State.SKIPPED
    assert answer_of(watched, "outputs.compile.tried") == 3


def test_of_an_answer_after_which_it_is_tried_again_nothing_is_kept() -> None:
    watched = begun(retry=Retry(1))
    watched.do("compile", REFUSED)
    assert not watched.queue.outputs
    watched.do("compile", ANSWERED)
    assert list(watched.queue.outputs) == [watched.place("compile").index]


def test_a_task_around_a_driver_carries_its_answer() -> None:
    group = sequence(driven("driver"), name="compile", teardown=task("teardown"), carries_outputs=True)
    watched = WatchedRun(Tree(sequence(group, "after", name="root")))
    watched.start()
    watched.do("compile/driver", ANSWERED)
    watched.do("compile/teardown", SUCCEEDED)
    assert answer_of(watched, "outputs.compile.artifact") == "shop.tar"


def test_an_answer_without_a_result_gives_nothing() -> None:
    watched = begun()
    watched.do("compile", SUCCEEDED)
    assert answer_of(watched, "size(outputs.compile)") == 0


def test_the_time_of_a_driver_counts_from_its_lease() -> None:
    watched = begun()
    assert not watched.queue.timers
    watched.lease("compile")
    assert watched.queue.timers == {(1, LIMIT): watched.clock.now() + MINUTE}


@pytest.mark.parametrize("built_in", [WorkKind.RUN, WorkKind.BUILD, WorkKind.DEPLOY])
def test_workers_keep_the_time_of_built_in_work_themselves(built_in: WorkKind) -> None:
    watched = WatchedRun(Tree(sequence(task("only", built_in, timeout=MINUTE))))
    watched.start()
    watched.lease("only")
    assert not watched.queue.timers
    watched.cancel()
    assert not watched.queue.timers


def test_a_driver_over_its_time_is_told_to_stop_and_given_a_while() -> None:
    watched = begun()
    lease = watched.lease("compile")
    decision = watched.fire("compile", LIMIT)
    assert decision.effects == (
        AttemptStopping(1, 1, lease),
        TimerSet(1, GRACE, watched.clock.now() + DRIVER_GRACE),
    )
    assert watched.state("compile") is State.RUNNING
    assert watched.code("compile") is ReasonCode.STOPPING


def test_a_hung_driver_ends_timed_out_without_its_worker() -> None:
    watched = begun()
    watched.lease("compile")
    watched.fire("compile", LIMIT)
    watched.fire("compile", GRACE)
    assert watched.state("compile") is State.TIMED_OUT
    assert watched.code("compile") is ReasonCode.TIME_LIMIT
    assert watched.state("after") is State.SKIPPED


@pytest.mark.parametrize("late", [ANSWERED, REFUSED, STOPPED, FAILED])
def test_whatever_a_driver_answers_after_its_time_it_is_timed_out(late: Outcome) -> None:
    watched = begun()
    watched.lease("compile")
    watched.fire("compile", LIMIT)
    watched.report("compile", late)
    assert watched.state("compile") is State.TIMED_OUT
    assert not watched.queue.outputs


def test_a_driver_that_dies_after_its_time_is_timed_out() -> None:
    watched = begun()
    watched.lease("compile")
    watched.fire("compile", LIMIT)
    watched.lose("compile")
    assert watched.state("compile") is State.TIMED_OUT


def test_a_driver_over_its_time_is_tried_again_where_its_retry_says_so() -> None:
    watched = begun(retry=Retry(1))
    watched.lease("compile")
    watched.fire("compile", LIMIT)
    watched.fire("compile", GRACE)
    assert watched.state("compile") is State.QUEUED
    watched.do("compile", ANSWERED)
    assert watched.state("compile") is State.SUCCEEDED


def test_the_grace_of_an_attempt_does_not_end_the_next() -> None:
    watched = begun(retry=Retry(1))
    watched.lease("compile")
    watched.fire("compile", LIMIT)
    watched.report("compile", STOPPED)
    watched.lease("compile")
    run = watched.run
    assert watched.send(TimerFired(1, GRACE)).run is run


def test_a_cancelled_driver_that_does_not_answer_ends_cancelled() -> None:
    watched = begun()
    watched.lease("compile")
    watched.cancel()
    assert watched.queue.timers[1, GRACE] == watched.clock.now() + DRIVER_GRACE
    watched.fire("compile", GRACE)
    assert watched.state("compile") is State.CANCELLED
    assert watched.code("compile") is ReasonCode.CANCELLED_BY_USER
    assert watched.run.state is State.CANCELLED


def test_a_cancelled_driver_that_succeeds_in_spite_of_it_has_succeeded() -> None:
    watched = begun()
    watched.lease("compile")
    watched.cancel()
    watched.report("compile", ANSWERED)
    assert watched.state("compile") is State.SUCCEEDED


def test_a_cancellation_while_a_driver_has_its_grace_prolongs_nothing() -> None:
    watched = begun()
    watched.lease("compile")
    watched.fire("compile", LIMIT)
    timers = dict(watched.queue.timers)
    assert not any(isinstance(each, TimerSet) for each in watched.cancel().effects)
    assert watched.queue.timers == timers
    watched.fire("compile", GRACE)
    assert watched.state("compile") is State.CANCELLED


def test_a_driver_beside_one_that_failed_fast_gets_no_more_than_its_grace() -> None:
    watched = WatchedRun(Tree(parallel(driven("one"), driven("two"), fail_fast=True, name="root")))
    watched.start()
    watched.lease("one")
    watched.lease("two")
    watched.report("one", REFUSED)
    watched.fire("two", GRACE)
    assert watched.code("two") is ReasonCode.FAIL_FAST


def test_a_driver_without_a_limit_is_waited_for() -> None:
    watched = begun(timeout=None)
    watched.lease("compile")
    assert not watched.queue.timers


@pytest.mark.parametrize(
    ("idempotent", "state"), [(None, State.QUEUED), (True, State.QUEUED), (False, State.LOST)]
)
def test_a_driver_that_dies_is_followed_by_another_unless_the_task_forbids_it(
    idempotent: bool | None, state: State
) -> None:
    watched = begun(idempotent=idempotent)
    watched.lease("compile")
    watched.lose("compile")
    assert watched.state("compile") is state


def test_what_may_not_begin_twice_begins_again_when_nothing_was_done() -> None:
    watched = begun(idempotent=False)
    watched.do("compile", UNBEGUN)
    assert watched.state("compile") is State.WAITING


def test_a_run_task_that_forbids_it_does_not_begin_twice() -> None:
    watched = WatchedRun(Tree(sequence(task("only", idempotent=False, retry=Retry(3)))))
    watched.start()
    watched.do("only", FAILED)
    assert watched.state("only") is State.FAILED


@pytest.mark.parametrize(
    ("idempotent", "state"), [(None, State.LOST), (True, State.QUEUED), (False, State.LOST)]
)
def test_a_driver_that_forbids_it_is_believed_where_the_task_does_not_say(
    idempotent: bool | None, state: State
) -> None:
    watched = begun(idempotent=idempotent)
    lease = watched.lease("compile")
    watched.send(AttemptLost(1, 1, lease.token, once=True))
    assert watched.state("compile") is state
