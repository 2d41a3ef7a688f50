"""Time limits of groups and of the run: the body is stopped, the teardown runs."""

from datetime import timedelta

from lineshaft.engine.decision import AttemptStopping, TimerSet
from lineshaft.model.event import RunStarted, TimerFired, TimerPurpose
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from trees import parallel, sequence, task
from watched_run import STOPPED, SUCCEEDED, WatchedRun

MINUTE = timedelta(minutes=1)
LIMIT = TimerPurpose.TIME_LIMIT


def begun() -> WatchedRun:
    group = parallel("unit", "api", name="test", timeout=MINUTE, teardown=task("teardown"))
    watched = WatchedRun(Tree(sequence(group, "after")))
    watched.start()
    return watched


def test_a_group_s_time_counts_from_its_first_task_s_start() -> None:
    watched = begun()
    assert not watched.queue.timers
    watched.lease("test/api")
    assert watched.queue.timers == {(1, LIMIT): watched.clock.now() + MINUTE}
    watched.lease("test/unit")
    assert len(watched.queue.timers) == 1


def test_a_group_over_its_limit_is_stopped_and_times_out_behind_its_teardown() -> None:
    watched = begun()
    lease = watched.lease("test/unit")
    decision = watched.fire("test", LIMIT)
    assert decision.effects[0] == AttemptStopping(2, 1, lease)
    assert watched.state("test/api") is State.CANCELLED
    assert watched.code("test/api") is ReasonCode.GROUP_TIME_LIMIT
    watched.report("test/unit", STOPPED)
    assert watched.code("test/unit") is ReasonCode.GROUP_TIME_LIMIT
    watched.do("test/teardown", SUCCEEDED)
    assert watched.state("test") is State.TIMED_OUT
    assert watched.code("test") is ReasonCode.TIME_LIMIT
    assert watched.states["after"] is State.SKIPPED
    assert watched.run.state is State.FAILED


def test_a_limit_that_passes_while_the_teardown_runs_changes_nothing() -> None:
    watched = begun()
    watched.do("test/unit", SUCCEEDED)
    watched.do("test/api", SUCCEEDED)
    watched.lease("test/teardown")
    run = watched.run
    assert watched.fire("test", LIMIT).run is run


def test_a_limit_that_passes_after_the_end_changes_nothing() -> None:
    watched = begun()
    for name in ("unit", "api", "teardown"):
        watched.do(f"test/{name}", SUCCEEDED)
    run = watched.run
    assert watched.fire("test", LIMIT).run is run


def test_a_group_without_a_limit_hears_no_timer() -> None:
    watched = WatchedRun(Tree(sequence(parallel("unit"))))
    watched.start()
    watched.lease("parallel/unit")
    run = watched.run
    assert watched.send(TimerFired(1, LIMIT)).run is run
    assert watched.send(TimerFired(2, LIMIT)).run is run
    assert watched.send(TimerFired(99, LIMIT)).run is run


def test_a_group_that_is_over_its_limit_stays_timed_out_when_the_run_is_cancelled_too() -> None:
    watched = begun()
    watched.lease("test/unit")
    watched.fire("test", LIMIT)
    watched.cancel()
    watched.report("test/unit", STOPPED)
    watched.do("test/teardown", SUCCEEDED)
    assert watched.state("test") is State.TIMED_OUT
    assert watched.run.state is State.CANCELLED


def test_the_run_s_limit_is_the_shorter_of_its_own_and_any_run_s() -> None:
    watched = WatchedRun(Tree(sequence("lint", timeout=timedelta(hours=2))))
    decision = watched.send(RunStarted(timedelta(hours=1)))
    assert decision.effects[0] == TimerSet(ROOT, LIMIT, watched.clock.now() + timedelta(hours=1))


def test_a_run_over_its_limit_times_out() -> None:
    watched = WatchedRun(Tree(sequence("lint", "test")))
    watched.send(RunStarted(MINUTE))
    watched.lease("lint")
    watched.fire("", LIMIT)
    watched.report("lint", STOPPED)
    assert watched.run.state is State.TIMED_OUT
    assert watched.code("test") is ReasonCode.GROUP_TIME_LIMIT


def test_a_group_s_limit_does_not_reach_beside_it() -> None:
    group = parallel("unit", name="test", timeout=MINUTE)
    watched = WatchedRun(Tree(parallel(group, "docs")))
    watched.start()
    watched.lease("test/unit")
    watched.lease("docs")
    watched.fire("test", LIMIT)
    assert not watched.node("docs").stopping
