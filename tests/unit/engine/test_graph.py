"""A graph: each child begins when what it needs has ended."""

from lineshaft.model.condition import Condition
from lineshaft.model.node import Node
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from trees import graph, parallel, sequence, task
from watched_run import FAILED, SUCCEEDED, WatchedRun

ALWAYS = Condition("always()", asks_for_states=True)


def begun(*children: Node | str) -> WatchedRun:
    watched = WatchedRun(Tree(graph(*children)))
    watched.start()
    return watched


def test_what_needs_nothing_begins_at_once() -> None:
    watched = begun(task("ship", needs=("unit",)), "unit", "docs")
    assert watched.states == {
        "": State.QUEUED,
        "ship": State.WAITING,
        "unit": State.QUEUED,
        "docs": State.QUEUED,
    }


def test_a_child_begins_when_the_last_that_it_needs_has_ended() -> None:
    watched = begun("unit", "api", task("ship", needs=("unit", "api")))
    watched.do("unit", SUCCEEDED)
    assert watched.state("ship") is State.WAITING
    watched.do("api", SUCCEEDED)
    assert watched.state("ship") is State.QUEUED


def test_what_needs_a_failed_one_is_skipped_at_any_distance() -> None:
    watched = begun("unit", task("image", needs=("unit",)), task("ship", needs=("image",)), "docs")
    watched.do("unit", FAILED)
    assert watched.state("image") is State.SKIPPED
    assert watched.state("ship") is State.SKIPPED
    assert watched.code("ship") is ReasonCode.EARLIER_NODE_FAILED
    assert watched.state("docs") is State.QUEUED


def test_a_failure_reaches_beyond_one_that_runs_all_the_same() -> None:
    watched = begun(
        "unit", task("report", needs=("unit",), condition=ALWAYS), task("ship", needs=("report",))
    )
    watched.do("unit", FAILED)
    watched.do("report", SUCCEEDED)
    assert watched.state("ship") is State.SKIPPED
    assert watched.run.state is State.FAILED


def test_one_that_is_skipped_by_its_condition_takes_nobody_along() -> None:
    watched = begun(task("docs", condition=Condition("false")), task("ship", needs=("docs",)))
    assert watched.state("docs") is State.SKIPPED
    assert watched.state("ship") is State.QUEUED


def test_a_need_that_may_fail_does_not_stop_what_needs_it() -> None:
    watched = begun(task("unit", allow_failure=True), task("ship", needs=("unit",)))
    watched.do("unit", FAILED)
    assert watched.state("ship") is State.QUEUED


def test_a_child_waits_for_a_group_that_it_needs() -> None:
    watched = begun(parallel("unit", "api", name="test"), task("ship", needs=("test",)))
    watched.do("test/unit", SUCCEEDED)
    assert watched.state("ship") is State.WAITING
    watched.do("test/api", SUCCEEDED)
    assert watched.state("ship") is State.QUEUED


def test_a_waiting_child_names_what_it_needs_three_and_a_count() -> None:
    names = ("a", "b", "c", "d", "e")
    watched = begun(*names, task("ship", needs=names))
    reason = watched.reason("ship")
    assert reason is not None
    assert reason.text == "Waits for 'a', 'b', 'c' and 2 more to end."


def test_a_graph_in_a_sequence_is_entered_and_left_like_any_child() -> None:
    watched = WatchedRun(Tree(sequence(graph("unit", task("api", needs=("unit",)), name="test"), "ship")))
    watched.start()
    watched.do("test/unit", SUCCEEDED)
    watched.do("test/api", SUCCEEDED)
    assert watched.state("ship") is State.QUEUED
