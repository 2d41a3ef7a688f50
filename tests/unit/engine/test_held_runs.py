"""Runs that wait until somebody has approved them."""

from datetime import timedelta

from lineshaft.engine.decision import RunEnded, TimerSet
from lineshaft.model.event import RunApproved, RunHeld, RunRefused, RunStarted
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from trees import parallel, sequence
from watched_run import BY_USER, SUCCEEDED, WatchedRun

WHY = Reason(ReasonCode.WAITING_FOR_APPROVAL, "Its change comes from a fork.")
MISSING = Reason(ReasonCode.SECRET_MISSING, "The secret TOKEN is missing.")
TREE = Tree(sequence("lint", parallel("unit", "api")))


def held() -> WatchedRun:
    watched = WatchedRun(TREE)
    watched.send(RunHeld(WHY))
    return watched


def test_a_held_run_waits_for_approval_with_all_that_is_in_it() -> None:
    watched = held()

    assert watched.run.held
    assert set(watched.states.values()) == {State.WAITING}
    assert watched.reason("") == watched.reason("lint") == watched.reason("parallel/api") == WHY


def test_a_held_run_does_not_begin() -> None:
    watched = held()
    before = watched.run
    assert watched.start().run is before


def test_an_approved_run_has_the_name_of_who_approved_it_and_waits_for_nobody_any_more() -> None:
    watched = held()

    run = watched.send(RunApproved("ada")).run

    assert (run.held, run.approved_by, run.state, run.root.reason) == (False, "ada", State.WAITING, None)
    watched.start()
    assert watched.state("lint") is State.QUEUED


def test_the_time_limit_of_a_held_run_counts_from_when_it_begins() -> None:
    watched = held()
    assert watched.queue.timers == {}
    watched.send(RunApproved("ada"))

    decision = watched.send(RunStarted(timedelta(hours=1)))

    (timer,) = (each for each in decision.effects if isinstance(each, TimerSet))
    assert timer.due_at == watched.clock.now() + timedelta(hours=1)


def test_what_is_told_of_a_hold_and_its_end_stands_in_the_history() -> None:
    watched = held()
    watched.send(RunApproved("ada"))
    assert [(each.node, each.state, each.reason) for each in watched.history] == [
        (0, State.WAITING, WHY),
        (0, State.WAITING, None),
    ]


def test_a_held_run_that_is_cancelled_ends_at_once_and_cannot_be_approved() -> None:
    watched = held()

    decision = watched.cancel()

    assert decision.effects == (RunEnded(State.CANCELLED),)
    assert watched.reason("") == watched.reason("lint") == BY_USER
    ended = watched.run
    assert watched.send(RunApproved("ada")).run is ended
    assert ended.held


def test_a_held_run_can_be_refused() -> None:
    watched = held()
    assert watched.send(RunRefused(MISSING)).effects == (RunEnded(State.FAILED),)


def test_an_approval_is_heard_once() -> None:
    watched = held()
    approved = watched.send(RunApproved("ada")).run
    assert watched.send(RunApproved("ben")).run is approved


def test_an_approved_run_is_not_held_again() -> None:
    watched = held()
    approved = watched.send(RunApproved("ada")).run
    assert watched.send(RunHeld(WHY)).run is approved


def test_a_run_that_is_not_held_hears_no_approval() -> None:
    watched = WatchedRun(TREE)
    before = watched.run
    assert watched.send(RunApproved("ada")).run is before


def test_an_approval_by_nobody_is_none() -> None:
    watched = held()
    before = watched.run
    assert watched.send(RunApproved("")).run is before


def test_a_run_that_goes_on_is_not_held() -> None:
    watched = WatchedRun(TREE)
    watched.start()
    begun = watched.run
    assert watched.send(RunHeld(WHY)).run is begun
    watched.do("lint", SUCCEEDED)
    assert watched.state("parallel/api") is State.QUEUED
