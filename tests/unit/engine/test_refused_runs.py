"""Runs that cannot begin."""

from lineshaft.engine.decision import RunEnded
from lineshaft.model.event import RunRefused
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from trees import parallel, sequence
from watched_run import WatchedRun

REASON = Reason(ReasonCode.SECRET_MISSING, "The secret TOKEN is missing.")


def test_a_refused_run_fails_and_all_in_it_is_skipped_for_the_same_reason() -> None:
    watched = WatchedRun(Tree(sequence("lint", parallel("unit", "api"))))

    decision = watched.send(RunRefused(REASON))

    assert decision.effects == (RunEnded(State.FAILED),)
    states = dict(watched.states)
    assert states.pop("") is State.FAILED
    assert set(states.values()) == {State.SKIPPED}
    assert watched.reason("") == watched.reason("lint") == watched.reason("parallel/api") == REASON


def test_a_run_that_has_begun_is_not_refused() -> None:
    watched = WatchedRun(Tree(sequence("lint")))
    begun = watched.start().run
    assert watched.send(RunRefused(REASON)).run is begun


def test_a_refused_run_cannot_begin_and_cannot_be_refused_again() -> None:
    watched = WatchedRun(Tree(sequence("lint")))
    refused = watched.send(RunRefused(REASON)).run
    assert watched.start().run is refused
    assert watched.send(RunRefused(REASON)).run is refused


def test_a_run_of_nothing_can_be_refused() -> None:
    watched = WatchedRun(Tree(sequence()))
    assert watched.send(RunRefused(REASON)).effects == (RunEnded(State.FAILED),)
