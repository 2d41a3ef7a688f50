"""A sequence: one child after the other, and nothing behind one that did not succeed."""

import pytest

from lineshaft.engine.decision import AttemptEnded, AttemptQueued, RunEnded
from lineshaft.model.node import Node
from lineshaft.model.outcome import Outcome
from lineshaft.model.placement import Demand
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import WorkKind
from trees import parallel, sequence
from watched_run import FAILED, STOPPED, SUCCEEDED, TIMED_OUT, WatchedRun


def begun(*children: Node | str) -> WatchedRun:
    watched = WatchedRun(Tree(sequence(*children)))
    watched.start()
    return watched


def test_only_the_first_child_is_queued_at_the_start() -> None:
    watched = begun("lint", "test")
    assert watched.states == {"": State.QUEUED, "lint": State.QUEUED, "test": State.WAITING}


def test_a_child_is_queued_by_the_success_of_the_one_before() -> None:
    watched = begun("lint", "test")
    decision = watched.do("lint", SUCCEEDED)
    assert decision.effects == (
        AttemptEnded(1, 1, State.SUCCEEDED),
        AttemptQueued(2, 1, Demand(WorkKind.RUN)),
    )


def test_the_run_succeeds_with_its_last_child() -> None:
    watched = begun("lint", "test")
    watched.do("lint", SUCCEEDED)
    decision = watched.do("test", SUCCEEDED)
    assert decision.effects[-1] == RunEnded(State.SUCCEEDED)
    assert set(watched.states.values()) == {State.SUCCEEDED}


@pytest.mark.parametrize("outcome", [FAILED, TIMED_OUT, STOPPED])
def test_what_comes_behind_a_child_that_did_not_succeed_is_skipped(outcome: Outcome) -> None:
    watched = begun("lint", "test", "ship")
    watched.do("lint", outcome)
    assert watched.states == {
        "": State.FAILED,
        "lint": outcome.state,
        "test": State.SKIPPED,
        "ship": State.SKIPPED,
    }


def test_a_skipped_node_names_the_one_that_did_not_succeed() -> None:
    watched = begun("lint", "test")
    watched.do("lint", FAILED)
    reason = watched.node("test").reason
    assert reason is not None
    assert reason.code is ReasonCode.EARLIER_NODE_FAILED
    assert "'lint'" in reason.text


def test_the_failed_run_names_the_child_that_failed_it() -> None:
    watched = begun("lint", "test")
    watched.do("lint", TIMED_OUT)
    reason = watched.run.root.reason
    assert reason is not None
    assert reason.code is ReasonCode.CHILD_FAILED
    assert reason.text == "'lint' ran out of time."


def test_a_skipped_group_has_no_open_children_left() -> None:
    watched = begun("lint", parallel("unit", sequence("api"), name="test"))
    watched.do("lint", FAILED)
    assert watched.node("test").open_children == 0
    assert watched.node("test").unsuccessful_children == 0
    assert watched.state("test/sequence/api") is State.SKIPPED


def test_a_group_in_between_is_entered_and_left_like_any_child() -> None:
    watched = begun("lint", parallel("unit", "api", name="test"), "ship")
    watched.do("lint", SUCCEEDED)
    watched.do("test/api", SUCCEEDED)
    assert watched.state("ship") is State.WAITING
    watched.do("test/unit", SUCCEEDED)
    assert watched.state("ship") is State.QUEUED


def test_empty_groups_succeed_as_they_are_reached() -> None:
    watched = begun(sequence(name="first"), parallel(name="second"), "third", sequence(name="last"))
    assert watched.state("second") is State.SUCCEEDED
    assert watched.state("third") is State.QUEUED
    watched.do("third", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_run_of_nothing_succeeds_at_once() -> None:
    watched = WatchedRun(Tree(sequence()))
    assert watched.start().effects == (RunEnded(State.SUCCEEDED),)
