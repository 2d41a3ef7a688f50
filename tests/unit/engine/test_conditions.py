"""Conditions: asked when a node's turn has come."""

import pytest

from lineshaft.model.condition import Condition
from lineshaft.model.node import Node
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Source
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from trees import parallel, sequence, task
from watched_run import FAILED, SUCCEEDED, WatchedRun

FAILED_BEFORE = Condition("failed()", asks_for_states=True)
SOURCE = Source("https://git.example/shop.git", "a" * 40, branch="main", changeset=("api/app.py",))


def begun(*children: Node | str) -> WatchedRun:
    watched = WatchedRun(Tree(sequence(*children)), source=SOURCE)
    watched.start()
    return watched


@pytest.mark.parametrize(
    "expression", ['branch == "main"', 'changed("api/**")', 'commit.short == "aaaaaaaa"']
)
def test_a_node_begins_when_its_condition_holds(expression: str) -> None:
    assert begun(task("ship", condition=Condition(expression))).state("ship") is State.QUEUED


def test_a_node_whose_condition_is_false_is_skipped_and_the_next_begins() -> None:
    watched = begun(task("ship", condition=Condition('branch == "next"')), "after")
    assert watched.state("ship") is State.SKIPPED
    assert watched.code("ship") is ReasonCode.CONDITION_FALSE
    assert watched.state("after") is State.QUEUED


def test_a_group_whose_condition_is_false_is_skipped_as_a_whole() -> None:
    watched = begun(parallel("unit", sequence("api"), name="test", condition=Condition("false")))
    assert watched.code("test/sequence/api") is ReasonCode.CONDITION_FALSE
    assert watched.run.state is State.SUCCEEDED


def test_a_plain_condition_asks_for_success_before() -> None:
    watched = begun("lint", task("ship", condition=Condition("true")))
    watched.do("lint", FAILED)
    assert watched.code("ship") is ReasonCode.EARLIER_NODE_FAILED


def test_a_node_can_run_because_one_before_it_failed() -> None:
    watched = begun("lint", "test", task("tell", condition=FAILED_BEFORE))
    watched.do("lint", FAILED)
    assert watched.state("test") is State.SKIPPED
    assert watched.state("tell") is State.QUEUED
    watched.do("tell", SUCCEEDED)
    assert watched.run.state is State.FAILED


def test_a_node_that_asks_for_failures_is_skipped_without_one() -> None:
    watched = begun("lint", task("tell", condition=FAILED_BEFORE))
    watched.do("lint", SUCCEEDED)
    assert watched.code("tell") is ReasonCode.CONDITION_FALSE
    assert watched.run.state is State.SUCCEEDED


def test_a_node_can_ask_for_the_state_of_another_by_name() -> None:
    condition = Condition('state("lint") == "failed" && failed("lint")', asks_for_states=True)
    watched = begun("lint", task("tell", condition=condition))
    watched.do("lint", FAILED)
    assert watched.state("tell") is State.QUEUED


@pytest.mark.parametrize(
    "expression", ["1 / 0 == 1", "inputs.nothing", '"text"', 'state("nobody") == "failed"']
)
def test_a_node_whose_condition_cannot_be_evaluated_fails(expression: str) -> None:
    watched = begun(task("ship", condition=Condition(expression, asks_for_states="state" in expression)))
    assert watched.state("ship") is State.FAILED
    assert watched.code("ship") is ReasonCode.EXPRESSION_FAILED
    assert watched.run.state is State.FAILED


def test_all_in_a_group_whose_condition_cannot_be_evaluated_is_skipped() -> None:
    watched = begun(parallel("unit", name="test", condition=Condition("1 / 0 == 1")))
    assert watched.state("test") is State.FAILED
    assert watched.state("test/unit") is State.SKIPPED
    assert watched.code("test/unit") is ReasonCode.EXPRESSION_FAILED


def test_a_cancelled_run_asks_no_conditions() -> None:
    always = Condition("always()", asks_for_states=True)
    watched = begun("lint", task("tell", condition=always))
    watched.cancel()
    assert watched.state("tell") is State.CANCELLED


def test_a_run_s_inputs_are_seen() -> None:
    tree = Tree(sequence(task("ship", condition=Condition('inputs.level == "full"'))))
    watched = WatchedRun(tree, inputs={"level": "full"})
    watched.start()
    assert watched.state("ship") is State.QUEUED
