"""A cancellation: nothing new begins, what runs is told to stop, and the run ends when that has stopped."""

from lineshaft.engine.decision import AttemptEnded, AttemptStopping, RunEnded
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from trees import parallel, sequence
from watched_run import BY_USER, FAILED, STOPPED, SUCCEEDED, WatchedRun


def test_a_run_that_has_not_begun_ends_at_once() -> None:
    watched = WatchedRun(Tree(sequence("lint", parallel("unit", "api"))))
    assert watched.cancel().effects == (RunEnded(State.CANCELLED),)
    assert set(watched.states.values()) == {State.CANCELLED}


def test_a_cancelled_run_cannot_begin() -> None:
    watched = WatchedRun(Tree(sequence("lint")))
    cancelled = watched.cancel().run
    assert watched.start().run is cancelled


def test_a_queued_attempt_is_taken_out_of_the_queue() -> None:
    watched = WatchedRun(Tree(sequence("lint", "test")))
    watched.start()
    decision = watched.cancel()
    assert decision.effects == (AttemptEnded(1, 1, State.CANCELLED), RunEnded(State.CANCELLED))


def test_every_child_that_did_not_begin_counts_as_one_that_did_not_succeed() -> None:
    watched = WatchedRun(Tree(sequence("lint", "test", "ship")))
    watched.start()
    watched.cancel()
    assert watched.run.root.unsuccessful_children == 3


def test_the_worker_of_a_running_attempt_is_told_to_stop_it() -> None:
    watched = WatchedRun(Tree(sequence("lint", "test")))
    watched.start()
    lease = watched.lease("lint")
    decision = watched.cancel()
    assert decision.effects == (AttemptStopping(1, 1, lease),)
    assert watched.states == {"": State.RUNNING, "lint": State.RUNNING, "test": State.CANCELLED}


def test_the_run_ends_when_the_last_running_attempt_has_stopped() -> None:
    watched = WatchedRun(Tree(parallel("unit", "api")))
    watched.start()
    watched.lease("unit")
    watched.lease("api")
    watched.cancel()
    assert watched.report("unit", STOPPED).effects == (AttemptEnded(1, 1, State.CANCELLED),)
    decision = watched.report("api", STOPPED)
    assert decision.effects == (AttemptEnded(2, 1, State.CANCELLED), RunEnded(State.CANCELLED))


def test_all_that_it_ended_carries_who_wanted_it() -> None:
    watched = WatchedRun(Tree(sequence("lint", "test")))
    watched.start()
    watched.lease("lint")
    watched.cancel()
    watched.report("lint", STOPPED)
    assert [node.reason for node in watched.run.nodes] == [BY_USER] * 3


def test_the_first_reason_stands() -> None:
    watched = WatchedRun(Tree(sequence("lint")))
    watched.start()
    watched.lease("lint")
    stopping = watched.cancel().run
    assert watched.cancel(Reason(ReasonCode.SUPERSEDED, "Run 2 takes its place.")).run is stopping


def test_a_task_that_failed_before_it_was_stopped_keeps_its_own_end() -> None:
    watched = WatchedRun(Tree(sequence("lint")))
    watched.start()
    watched.lease("lint")
    watched.cancel()
    watched.report("lint", FAILED)
    assert watched.states == {"": State.CANCELLED, "lint": State.FAILED}
    assert watched.node("lint").reason == FAILED.reason


def test_a_run_whose_last_task_succeeded_all_the_same_has_succeeded() -> None:
    watched = WatchedRun(Tree(sequence("lint")))
    watched.start()
    watched.lease("lint")
    watched.cancel()
    watched.report("lint", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_task_that_is_lost_while_it_is_stopped_is_not_tried_again() -> None:
    watched = WatchedRun(Tree(sequence("lint", "test")))
    watched.start()
    watched.lease("lint")
    watched.cancel()
    watched.lose("lint")
    assert watched.states == {"": State.CANCELLED, "lint": State.LOST, "test": State.CANCELLED}


def test_an_ended_run_is_not_cancelled_any_more() -> None:
    watched = WatchedRun(Tree(sequence("lint")))
    watched.start()
    ended = watched.do("lint", SUCCEEDED).run
    assert watched.cancel().run is ended
