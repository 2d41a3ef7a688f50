"""What can be said of a run that has ended."""

import pytest

from lineshaft.engine.ended import culprits, ended_scope
from lineshaft.engine.scope import scope_of
from lineshaft.expression import parse
from lineshaft.model.condition import Condition
from lineshaft.model.errors import ExpressionError
from lineshaft.model.node import Group
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from trees import parallel, sequence, task
from watched_run import FAILED, STOPPED, SUCCEEDED, TIMED_OUT, WatchedRun

URL = "https://ci.example.org/v1/runs/1"


def begun(root: Group) -> WatchedRun:
    watched = WatchedRun(Tree(root))
    watched.start()
    return watched


def paths(watched: WatchedRun) -> list[str]:
    assert watched.run.state.ended
    return [place.path for place in culprits(watched.run)]


def test_the_tasks_that_failed_are_told_in_the_order_of_the_tree() -> None:
    watched = begun(parallel("a", sequence("b", "c", name="inner"), "d", "e"))
    watched.do("d", TIMED_OUT)
    watched.do("a", FAILED)
    watched.do("inner/b", FAILED)
    watched.do("e", SUCCEEDED)

    assert paths(watched) == ["a", "inner/b", "d"]


def test_a_failure_that_is_allowed_is_none() -> None:
    watched = begun(parallel(task("a", allow_failure=True), "b"))
    watched.do("a", FAILED)
    watched.do("b", FAILED)

    assert paths(watched) == ["b"]


def test_what_was_stopped_for_another_failure_is_none() -> None:
    watched = begun(parallel("a", "b", fail_fast=True))
    watched.lease("b")
    watched.do("a", FAILED)
    watched.report("b", STOPPED)

    assert paths(watched) == ["a"]


def test_of_a_run_that_was_cancelled_all_that_was_stopped_is_told() -> None:
    watched = begun(parallel("a", "b"))
    watched.do("a", SUCCEEDED)
    watched.cancel()

    assert paths(watched) == ["b"]


def test_a_setup_counts() -> None:
    watched = begun(sequence("a", setup=task("setup")))
    watched.do("setup", FAILED)

    assert paths(watched) == ["setup"]


def test_a_group_that_failed_by_itself_stands_for_what_is_in_it() -> None:
    watched = begun(sequence(sequence("a", name="inner", condition=Condition("1 / 0 == 1"))))

    assert watched.state("inner") is State.FAILED
    assert paths(watched) == ["inner"]


def test_a_run_that_succeeded_has_none() -> None:
    watched = begun(sequence("a"))
    watched.do("a", SUCCEEDED)

    assert paths(watched) == []


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("run.state", "failed"),
        ("run.reason", "'a' failed."),
        ("run.url", URL),
        ("run.number", 1),
        ("run.trace", "00000000000000000000000000000001"),
        ("failed()", True),
        ("succeeded()", False),
        ("state('b')", "skipped"),
        ("failed('a')", True),
    ],
)
def test_expressions_see_the_end(expression: str, value: object) -> None:
    watched = begun(sequence("a", "b"))
    watched.do("a", FAILED)

    assert parse(expression).value(ended_scope(watched.run, URL)) == value


def test_expressions_see_that_all_went_well() -> None:
    watched = begun(sequence("a"))
    watched.do("a", SUCCEEDED)
    scope = ended_scope(watched.run, "")

    assert parse("succeeded() && !failed() && run.state == 'succeeded'").value(scope) is True
    assert parse("run.reason + run.url").value(scope) == ""


def test_before_the_end_nothing_is_known_of_it() -> None:
    watched = begun(sequence("a"))

    with pytest.raises(ExpressionError):
        parse("run.state").value(scope_of(watched.run, ROOT))
