"""Setups and teardowns: first and last, and the last whatever happened."""

from datetime import timedelta

import pytest

from lineshaft.model.condition import Condition
from lineshaft.model.event import TimerPurpose
from lineshaft.model.node import Group, Node
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from trees import parallel, sequence, task
from watched_run import FAILED, STOPPED, SUCCEEDED, TIMED_OUT, WatchedRun


def framed(*children: Node | str, **fields: object) -> Group:
    """Make a group with a setup and a teardown."""
    return sequence(*children, name="framed", setup=task("setup"), teardown=task("teardown"), **fields)


def begun(root: Group) -> WatchedRun:
    watched = WatchedRun(Tree(root))
    watched.start()
    return watched


def test_the_setup_runs_before_the_body() -> None:
    watched = begun(framed("lint"))
    assert watched.states == {
        "": State.QUEUED,
        "setup": State.QUEUED,
        "lint": State.WAITING,
        "teardown": State.WAITING,
    }
    watched.do("setup", SUCCEEDED)
    assert watched.state("lint") is State.QUEUED


def test_the_teardown_runs_behind_the_body() -> None:
    watched = begun(framed("lint"))
    watched.do("setup", SUCCEEDED)
    watched.do("lint", SUCCEEDED)
    assert watched.state("teardown") is State.QUEUED
    watched.do("teardown", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_failed_setup_skips_the_body_and_has_the_teardown_run() -> None:
    watched = begun(framed("lint", parallel("unit", name="test")))
    watched.do("setup", FAILED)
    assert watched.states == {
        "": State.RUNNING,
        "setup": State.FAILED,
        "lint": State.SKIPPED,
        "test": State.SKIPPED,
        "test/unit": State.SKIPPED,
        "teardown": State.QUEUED,
    }
    assert watched.code("test/unit") is ReasonCode.SETUP_FAILED
    watched.do("teardown", SUCCEEDED)
    assert watched.run.state is State.FAILED


def test_a_setup_that_may_fail_lets_the_body_begin() -> None:
    watched = begun(sequence("lint", setup=task("setup", allow_failure=True)))
    watched.do("setup", FAILED)
    assert watched.state("lint") is State.QUEUED
    watched.do("lint", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED
    assert watched.code("") is ReasonCode.ALLOWED_FAILURE


@pytest.mark.parametrize("outcome", [FAILED, TIMED_OUT, STOPPED])
def test_the_teardown_runs_after_a_failure(outcome: Outcome) -> None:
    watched = begun(framed("lint", "test"))
    watched.do("setup", SUCCEEDED)
    watched.do("lint", outcome)
    assert watched.state("teardown") is State.QUEUED


def test_a_failed_teardown_fails_its_group() -> None:
    watched = begun(framed("lint"))
    watched.do("setup", SUCCEEDED)
    watched.do("lint", SUCCEEDED)
    watched.do("teardown", FAILED)
    assert watched.run.state is State.FAILED
    assert watched.code("") is ReasonCode.CHILD_FAILED


def test_a_cancelled_run_ends_after_its_teardown() -> None:
    watched = begun(framed("lint"))
    watched.do("setup", SUCCEEDED)
    watched.lease("lint")
    watched.cancel()
    watched.report("lint", STOPPED)
    assert watched.state("teardown") is State.QUEUED
    watched.do("teardown", SUCCEEDED)
    assert watched.run.state is State.CANCELLED


def test_a_cancellation_leaves_a_running_teardown_alone() -> None:
    watched = begun(framed("lint"))
    watched.do("setup", SUCCEEDED)
    watched.do("lint", SUCCEEDED)
    watched.lease("teardown")
    assert watched.cancel().effects == ()
    watched.report("teardown", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_group_that_never_began_ends_with_its_setup_and_teardown() -> None:
    watched = begun(sequence("first", framed("lint")))
    watched.do("first", FAILED)
    assert watched.state("framed/setup") is State.SKIPPED
    assert watched.state("framed/teardown") is State.SKIPPED
    assert watched.run.state is State.FAILED


def test_a_stop_while_the_setup_runs_begins_nothing_of_the_body() -> None:
    watched = begun(framed("lint"))
    watched.lease("setup")
    watched.cancel()
    watched.report("setup", SUCCEEDED)
    assert watched.state("lint") is State.CANCELLED
    assert watched.state("teardown") is State.QUEUED


def test_the_teardown_of_an_inner_group_runs_when_the_outer_one_is_stopped() -> None:
    watched = begun(parallel(framed("lint"), "beside"))
    watched.lease("framed/setup")
    watched.lease("beside")
    watched.cancel()
    watched.report("framed/setup", STOPPED)
    watched.report("beside", STOPPED)
    assert watched.state("framed/teardown") is State.QUEUED
    assert not watched.run.state.ended
    watched.do("framed/teardown", SUCCEEDED)
    assert watched.state("framed") is State.CANCELLED


def test_a_teardown_of_several_nodes_is_sheltered_as_a_whole() -> None:
    teardown = sequence("one", "two", name="teardown")
    watched = begun(sequence("lint", teardown=teardown))
    watched.do("lint", SUCCEEDED)
    watched.lease("teardown/one")
    watched.cancel()
    watched.report("teardown/one", SUCCEEDED)
    assert watched.state("teardown/two") is State.QUEUED


def test_a_teardown_is_stopped_by_its_own_time_limit() -> None:
    teardown = sequence("one", "two", name="teardown", timeout=timedelta(minutes=5))
    watched = begun(sequence("lint", teardown=teardown))
    watched.do("lint", SUCCEEDED)
    watched.lease("teardown/one")
    watched.fire("teardown", TimerPurpose.TIME_LIMIT)
    watched.report("teardown/one", STOPPED)
    assert watched.state("teardown") is State.TIMED_OUT
    assert watched.run.state is State.FAILED


def test_the_teardown_of_a_group_without_a_body_runs() -> None:
    watched = begun(framed())
    watched.do("setup", SUCCEEDED)
    watched.do("teardown", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_teardown_s_plain_condition_does_not_ask_for_success() -> None:
    watched = begun(sequence("lint", teardown=task("teardown", condition=Condition("true"))))
    watched.do("lint", FAILED)
    assert watched.state("teardown") is State.QUEUED


def test_a_teardown_can_ask_for_a_failure() -> None:
    condition = Condition("failed()", asks_for_states=True)
    watched = begun(sequence("lint", teardown=task("teardown", condition=condition)))
    watched.do("lint", SUCCEEDED)
    assert watched.state("teardown") is State.SKIPPED
    assert watched.run.state is State.SUCCEEDED
