"""`fail_fast` and `allow_failure`: a failure that stops the others, and one that stops nobody."""

from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from trees import call, graph, parallel, sequence, task
from watched_run import FAILED, STOPPED, SUCCEEDED, WatchedRun


def test_the_first_failure_stops_the_others() -> None:
    watched = WatchedRun(Tree(parallel("unit", "api", "docs", call("other"), fail_fast=True)))
    watched.start()
    lease = watched.lease("api")
    watched.do("unit", FAILED)
    assert watched.states == {
        "": State.RUNNING,
        "unit": State.FAILED,
        "api": State.RUNNING,
        "docs": State.CANCELLED,
        "other": State.RUNNING,
    }
    assert watched.queue.stopping == {(2, 1), (4, 1)}
    assert watched.node("api").lease == lease
    assert watched.code("docs") is ReasonCode.FAIL_FAST


def test_the_group_fails_when_all_have_stopped() -> None:
    watched = WatchedRun(Tree(parallel("unit", sequence("api", "more", name="slow"), fail_fast=True)))
    watched.start()
    watched.lease("slow/api")
    watched.do("unit", FAILED)
    assert watched.state("slow/more") is State.CANCELLED
    watched.report("slow/api", STOPPED)
    assert watched.state("slow") is State.CANCELLED
    assert watched.code("slow/api") is ReasonCode.FAIL_FAST
    assert watched.run.state is State.FAILED
    assert watched.code("") is ReasonCode.CHILD_FAILED


def test_a_graph_can_stop_at_the_first_failure() -> None:
    watched = WatchedRun(Tree(graph("unit", "docs", task("ship", needs=("docs",)), fail_fast=True)))
    watched.start()
    watched.do("unit", FAILED)
    assert watched.code("ship") is ReasonCode.FAIL_FAST
    assert watched.run.state is State.FAILED


def test_a_failure_that_is_allowed_stops_nobody() -> None:
    watched = WatchedRun(Tree(parallel(task("unit", allow_failure=True), "api", fail_fast=True)))
    watched.start()
    watched.do("unit", FAILED)
    assert watched.state("api") is State.QUEUED


def test_a_sequence_goes_on_behind_a_failure_that_is_allowed_and_succeeds_with_a_warning() -> None:
    watched = WatchedRun(Tree(sequence(sequence(task("lint", allow_failure=True), "test", name="checks"))))
    watched.start()
    watched.do("checks/lint", FAILED)
    watched.do("checks/test", SUCCEEDED)
    assert watched.state("checks/lint") is State.FAILED
    assert watched.run.state is State.SUCCEEDED
    reason = watched.reason("")
    assert reason is not None
    assert reason.code is ReasonCode.ALLOWED_FAILURE
    assert reason.text == "'lint' failed, which is allowed."


def test_a_failure_that_is_not_allowed_says_more_than_one_that_is() -> None:
    watched = WatchedRun(Tree(parallel(task("lint", allow_failure=True), "test")))
    watched.start()
    watched.do("lint", FAILED)
    watched.do("test", FAILED)
    assert watched.run.state is State.FAILED
    assert watched.code("") is ReasonCode.CHILD_FAILED


def test_a_run_is_cancelled_although_what_was_stopped_may_fail() -> None:
    watched = WatchedRun(Tree(sequence(task("lint", allow_failure=True))))
    watched.start()
    watched.lease("lint")
    watched.cancel()
    watched.report("lint", STOPPED)
    assert watched.run.state is State.CANCELLED


def test_a_group_that_may_fail_does_not_fail_the_one_around_it() -> None:
    watched = WatchedRun(Tree(sequence(parallel("unit", allow_failure=True), "after")))
    watched.start()
    watched.do("parallel/unit", FAILED)
    assert watched.state("parallel") is State.FAILED
    assert watched.state("after") is State.QUEUED
