"""Explanations: why a node is in its state, and what that comes from."""

from datetime import timedelta

from lineshaft.engine.explain import Explanation, explain
from lineshaft.model.condition import Condition
from lineshaft.model.event import TimerPurpose
from lineshaft.model.node import Group
from lineshaft.model.reason import ReasonCode
from lineshaft.model.tree import Tree
from trees import graph, parallel, sequence, task
from watched_run import FAILED, STOPPED, SUCCEEDED, WatchedRun


def begun(root: Group) -> WatchedRun:
    watched = WatchedRun(Tree(root))
    watched.start()
    return watched


def told(watched: WatchedRun, path: str) -> Explanation:
    return explain(watched.run, watched.place(path).index)


def test_a_run_that_has_not_begun_waits_for_an_earlier_one() -> None:
    watched = WatchedRun(Tree(sequence("lint")))
    assert watched.code("") is ReasonCode.WAITING_FOR_EARLIER_RUN
    assert watched.code("lint") is ReasonCode.WAITING_FOR_EARLIER_RUN


def test_a_waiting_node_waits_for_the_one_that_goes_on() -> None:
    watched = begun(sequence("lint", "test", parallel("api", name="more")))
    explanation = told(watched, "more/api")
    assert explanation.waits_for == ("lint",)
    assert explanation.decided_by == "more"


def test_a_body_waits_for_its_setup() -> None:
    watched = begun(parallel("unit", setup=task("setup"), teardown=task("teardown")))
    assert told(watched, "unit").waits_for == ("setup",)
    watched.do("setup", SUCCEEDED)
    assert told(watched, "teardown").waits_for == ("unit",)


def test_a_group_waits_for_what_goes_on_in_it() -> None:
    watched = begun(sequence("lint", "test", teardown=task("teardown")))
    assert told(watched, "").waits_for == ("lint",)
    watched.do("lint", FAILED)
    assert told(watched, "").waits_for == ("teardown",)


def test_a_skipped_node_comes_from_the_one_that_failed() -> None:
    watched = begun(graph("unit", task("image", needs=("unit",)), task("ship", needs=("image",))))
    watched.do("unit", FAILED)
    assert told(watched, "ship").comes_from == ("unit",)
    assert told(watched, "").comes_from == ("unit",)


def test_what_is_in_a_skipped_group_is_skipped_for_the_group_s_reason() -> None:
    condition = Condition('branch == "main"')
    watched = begun(sequence(parallel("unit", name="test", condition=condition)))
    explanation = told(watched, "test/unit")
    assert explanation.decided_by == "test"
    assert explanation.condition == 'branch == "main"'
    assert explanation.condition_held is False


def test_a_condition_that_held_is_told_too() -> None:
    watched = begun(sequence(task("lint", condition=Condition("true"))))
    assert told(watched, "lint").condition_held is True


def test_a_failed_setup_is_named() -> None:
    watched = begun(sequence("lint", setup=task("setup")))
    watched.do("setup", FAILED)
    assert told(watched, "lint").comes_from == ("setup",)


def test_who_failed_first_is_named_where_a_failure_stops_the_others() -> None:
    watched = begun(parallel("unit", sequence("api", name="slow"), fail_fast=True))
    watched.lease("slow/api")
    watched.do("unit", FAILED)
    watched.report("slow/api", STOPPED)
    assert told(watched, "slow/api").comes_from == ("unit",)


def test_the_group_is_named_that_took_too_long() -> None:
    watched = begun(sequence(parallel("unit", "api", name="test", timeout=timedelta(minutes=1))))
    watched.lease("test/unit")
    watched.fire("test", TimerPurpose.TIME_LIMIT)
    assert told(watched, "test/api").comes_from == ("test",)
    watched.report("test/unit", STOPPED)
    assert told(watched, "test/unit").comes_from == ("test",)


def test_an_allowed_failure_is_named() -> None:
    watched = begun(sequence(task("lint", allow_failure=True), "test"))
    watched.do("lint", FAILED)
    watched.do("test", SUCCEEDED)
    assert told(watched, "").comes_from == ("lint",)


def test_attempts_and_losses_are_counted() -> None:
    watched = begun(sequence("lint"))
    watched.lease("lint")
    watched.lose("lint")
    explanation = told(watched, "lint")
    assert (explanation.attempts, explanation.losses) == (2, 1)
