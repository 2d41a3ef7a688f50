"""`advance` is total: what cannot be changes nothing, and says so by returning the run itself."""

from dataclasses import replace

import pytest

from lineshaft.engine.advance import advance
from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    Event,
    RunStarted,
    SourceResolved,
)
from lineshaft.model.node import Group
from lineshaft.model.tree import ROOT, Tree
from trees import sequence
from watched_run import FAILED, SUCCEEDED, WatchedRun, new_run


def begun(root: Group) -> WatchedRun:
    watched = WatchedRun(Tree(root))
    watched.start()
    return watched


def without_consequence(watched: WatchedRun, event: Event) -> bool:
    run = watched.run
    return watched.send(event).run is run


@pytest.mark.parametrize("node", [-1, 2, 64, 10_000])
def test_an_event_about_a_node_that_is_not_there_changes_nothing(node: int) -> None:
    watched = begun(sequence("only"))
    lease = watched.new_lease()
    assert without_consequence(watched, AttemptLeased(node, 1, lease))
    assert without_consequence(watched, AttemptReported(node, 1, lease.token, SUCCEEDED))
    assert without_consequence(watched, AttemptLost(node, 1, lease.token))


@pytest.mark.parametrize("attempt", [0, 1])
def test_a_queued_group_cannot_be_leased(attempt: int) -> None:
    watched = begun(sequence("only"))
    assert without_consequence(watched, AttemptLeased(ROOT, attempt, watched.new_lease()))


def test_a_run_begins_once() -> None:
    assert without_consequence(begun(sequence("only")), RunStarted())


def test_an_attempt_is_leased_once() -> None:
    watched = begun(sequence("only"))
    watched.lease("only")
    assert without_consequence(watched, AttemptLeased(1, 1, watched.new_lease()))


def test_an_attempt_that_is_not_the_queued_one_cannot_be_leased() -> None:
    watched = begun(sequence("only"))
    assert without_consequence(watched, AttemptLeased(1, 2, watched.new_lease()))


def test_a_waiting_task_cannot_be_leased() -> None:
    watched = begun(sequence("lint", "test"))
    assert without_consequence(watched, AttemptLeased(2, 0, watched.new_lease()))
    assert without_consequence(watched, AttemptLeased(2, 1, watched.new_lease()))


def test_a_report_with_another_lease_s_token_changes_nothing() -> None:
    watched = begun(sequence("only"))
    watched.lease("only")
    assert without_consequence(watched, AttemptReported(1, 1, "another", SUCCEEDED))
    assert without_consequence(watched, AttemptLost(1, 1, "another"))


def test_a_report_that_comes_after_the_lease_was_lost_changes_nothing() -> None:
    watched = begun(sequence("only"))
    late = watched.lease("only")
    watched.lose("only")
    assert without_consequence(watched, AttemptReported(1, 1, late.token, SUCCEEDED))
    watched.lease("only")
    assert without_consequence(watched, AttemptReported(1, 1, late.token, SUCCEEDED))
    assert without_consequence(watched, AttemptReported(1, 2, late.token, SUCCEEDED))


def test_a_second_report_changes_nothing() -> None:
    watched = begun(sequence("only"))
    lease = watched.lease("only")
    watched.report("only", SUCCEEDED)
    assert without_consequence(watched, AttemptReported(1, 1, lease.token, FAILED))


def test_the_first_commit_that_is_said_stands() -> None:
    watched = begun(sequence("only"))
    watched.send(SourceResolved("a" * 40))
    assert without_consequence(watched, SourceResolved("b" * 40))
    assert watched.run.source is not None
    assert watched.run.source.commit == "a" * 40


def test_a_freestyle_run_has_no_commit() -> None:
    run = replace(new_run(Tree(sequence("only"))), source=None)
    assert advance(run, SourceResolved("a" * 40), run.created_at).run is run


def test_a_run_that_has_ended_learns_no_commit() -> None:
    watched = begun(sequence("only"))
    watched.do("only", SUCCEEDED)
    assert without_consequence(watched, SourceResolved("a" * 40))
