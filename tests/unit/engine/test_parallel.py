"""A parallel group: all children at once, each to its own end."""

from lineshaft.engine.decision import AttemptQueued
from lineshaft.model.placement import Demand
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import WorkKind
from trees import parallel, sequence, task
from watched_run import FAILED, SUCCEEDED, WatchedRun


def test_all_children_are_queued_at_the_start_in_their_order() -> None:
    watched = WatchedRun(Tree(parallel("unit", task("image", WorkKind.BUILD), task("ship", WorkKind.DEPLOY))))
    assert watched.start().effects == (
        AttemptQueued(1, 1, Demand(WorkKind.RUN)),
        AttemptQueued(2, 1, Demand(WorkKind.BUILD)),
        AttemptQueued(3, 1, Demand(WorkKind.DEPLOY)),
    )


def test_a_failure_leaves_the_others_alone() -> None:
    watched = WatchedRun(Tree(parallel("unit", "api", "docs")))
    watched.start()
    watched.lease("api")
    decision = watched.do("unit", FAILED)
    assert decision.changed == (0, 1)
    assert watched.states == {
        "": State.RUNNING,
        "unit": State.FAILED,
        "api": State.RUNNING,
        "docs": State.QUEUED,
    }


def test_the_group_fails_when_the_last_child_has_ended() -> None:
    watched = WatchedRun(Tree(parallel("unit", "api")))
    watched.start()
    watched.do("unit", FAILED)
    watched.do("api", SUCCEEDED)
    assert watched.states == {"": State.FAILED, "unit": State.FAILED, "api": State.SUCCEEDED}


def test_the_group_names_the_child_that_failed_first() -> None:
    watched = WatchedRun(Tree(parallel("unit", "api")))
    watched.start()
    watched.do("api", FAILED)
    watched.do("unit", FAILED)
    reason = watched.run.root.reason
    assert reason is not None
    assert reason.text == "'api' failed."


def test_each_sequence_in_it_goes_its_own_way() -> None:
    watched = WatchedRun(
        Tree(parallel(sequence("lint", "test", name="left"), sequence("build", "ship", name="right")))
    )
    watched.start()
    watched.do("left/lint", FAILED)
    watched.do("right/build", SUCCEEDED)
    assert watched.state("left") is State.FAILED
    assert watched.state("right/ship") is State.QUEUED


def test_a_group_runs_from_the_first_child_that_does() -> None:
    watched = WatchedRun(Tree(sequence(parallel("unit", "api"))))
    watched.start()
    watched.lease("parallel/api")
    first = watched.run.nodes[3].started_at
    watched.lease("parallel/unit")
    assert watched.run.root.started_at == first
    assert watched.node("parallel").started_at == first
