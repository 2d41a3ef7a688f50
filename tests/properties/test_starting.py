"""Runs that go on from an earlier one, or are for some nodes only: whatever the tree and the history."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.engine.counting import recounted
from lineshaft.engine.starting import Start, kept_nodes, selected_nodes
from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    ChildRunEnded,
    Event,
    RunStarted,
    TimerFired,
    TimerPurpose,
)
from lineshaft.model.node import Group, Order
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from trees import any_trees, sequence, task
from watched_run import OUTCOMES, SUCCEEDED, WatchedRun

SLOW_TO_DRAW: Final = (HealthCheck.too_slow, HealthCheck.data_too_large)
ENDS: Final = (*(SUCCEEDED,) * 6, *OUTCOMES, None)
"""How an attempt may end; None for one that is lost."""

ends = st.lists(st.sampled_from(ENDS), max_size=12)
"""How the first attempts end; all later ones succeed."""

cancelled_after = st.none() | st.integers(1, 20)
"""Behind how many events somebody cancels a run."""


@st.composite
def growing_trees(draw: st.DrawFn) -> tuple[Tree, Group]:
    """Make a tree with a task that makes nodes, and these nodes."""
    any_root, body = (draw(any_trees(depth=3)).root for _ in range(2))
    maker = Group("gen", Order.SEQUENCE, (), setup=task("run"), generates="nodes", carries_outputs=True)
    nodes = [replace(any_root, name="any"), maker]
    root = sequence(*(reversed(nodes) if draw(st.booleans()) else nodes), name="root")
    return Tree(replace(root, order=draw(st.sampled_from((Order.SEQUENCE, Order.PARALLEL))))), body


def begun(start: Start) -> WatchedRun:
    """Make a run that has such a start."""
    watched = WatchedRun(start.tree, nodes=start.nodes, generated=start.generated, outputs=start.outputs)
    watched.queue.outputs.update(start.outputs)
    watched.queue.growths.extend(start.generated)
    return watched


def finished(watched: WatchedRun, body: Group, outcomes: list[Outcome | None], stop: int | None) -> Run:
    """Let a run go on until it has ended, its attempts in turn as the outcomes say."""
    coming = iter(outcomes)
    watched.send(RunStarted())
    while not watched.run.state.ended:
        event = next(_possible(watched, coming, body), None)
        assert event is not None, "a run that has not ended waits for something"
        watched.send(event)
        if stop is not None and len(watched.sent) >= stop and watched.run.cancel_reason is None:
            watched.cancel()
    return watched.run


def _possible(watched: WatchedRun, coming: Iterator[Outcome | None], body: Group) -> Iterator[Event]:
    queue = watched.queue
    for node, attempt in sorted(queue.queued):
        yield AttemptLeased(node, attempt, watched.new_lease())
    for (node, attempt), lease in sorted(queue.leased.items()):
        outcome = next(coming, SUCCEEDED)
        if outcome is None:
            yield AttemptLost(node, attempt, lease.token)
        elif outcome is SUCCEEDED and watched.run.tree[node].path == "gen/run":
            told = replace(outcome, generated="nodes", outputs={"x": "1"})
            yield AttemptReported(node, attempt, lease.token, told, body)
        else:
            yield AttemptReported(node, attempt, lease.token, outcome)
    for node, attempt in sorted(queue.calls):
        yield ChildRunEnded(node, attempt, next(coming, SUCCEEDED) or SUCCEEDED)
    for node, purpose in sorted(queue.timers):
        # The timer of a task that was stopped while it waited fires for nobody.
        if purpose is TimerPurpose.RETRY and watched.run.nodes[node].state is State.WAITING:
            yield TimerFired(node, purpose)


def ended_beforehand(start: Start) -> set[int]:
    return {index for index, node in enumerate(start.nodes) if node.state.ended}


def check_start(start: Start) -> None:
    assert list(recounted(start.tree, list(start.nodes))) == list(start.nodes)
    assert start.nodes[ROOT].state is State.WAITING


def check_kept(start: Start, watched: WatchedRun) -> None:
    """See that what had ended before the run began was left alone."""
    before = ended_beforehand(start)
    asked = {event.node for event in watched.history}
    assert not before & asked
    queued = {node for node, _ in (*watched.queue.ended, *watched.queue.queued)}
    assert not before & queued
    for index in before:
        now, then = watched.run.nodes[index], start.nodes[index]
        assert (now.state, now.reason, now.attempt) == (then.state, then.reason, 0)


@given(
    made=growing_trees(),
    outcomes=st.tuples(ends, ends, ends),
    stops=st.tuples(cancelled_after, cancelled_after, st.none()),
)
@settings(max_examples=80, suppress_health_check=SLOW_TO_DRAW)
def test_a_run_that_goes_on_from_an_earlier_one_leaves_what_succeeded_alone(
    made: tuple[Tree, Group],
    outcomes: tuple[list[Outcome | None], ...],
    stops: tuple[int | None, ...],
) -> None:
    tree, body = made
    earlier = finished(WatchedRun(tree), body, outcomes[0], stops[0])
    for these, stop in zip(outcomes[1:], stops[1:], strict=True):
        start = kept_nodes(earlier)
        check_start(start)
        for index in ended_beforehand(start):
            was = earlier.tree.find(start.tree[index].path)
            assert was is not None
            assert earlier.nodes[was.index].state in (State.SUCCEEDED, State.SKIPPED)
            assert start.outputs.get(index) == earlier.outputs.get(was.index)
        watched = begun(start)
        earlier = finished(watched, body, these, stop)
        check_kept(start, watched)


@given(made=growing_trees(), data=st.data(), outcomes=ends, stop=cancelled_after)
@settings(max_examples=80, suppress_health_check=SLOW_TO_DRAW)
def test_a_run_for_some_nodes_ends_and_leaves_the_others_alone(
    made: tuple[Tree, Group], data: st.DataObject, outcomes: list[Outcome | None], stop: int | None
) -> None:
    tree, body = made
    paths = st.sampled_from([place.path for place in tree.below_root()])
    only, from_ = data.draw(st.lists(paths, max_size=3)), data.draw(st.none() | paths)
    start = Start(tree, selected_nodes(tree, only, from_))
    check_start(start)
    for path in (*only, *(() if from_ is None else (from_,))):
        place = tree.find(path)
        assert place is not None
        assert not start.nodes[place.index].state.ended
    watched = begun(start)

    ended = finished(watched, body, outcomes, stop)

    check_kept(start, watched)
    for index in ended_beforehand(start):
        reason = ended.nodes[index].reason
        assert reason is not None
        assert reason.code is ReasonCode.NOT_SELECTED


def test_a_task_that_made_nodes_and_they_are_kept_where_they_succeeded() -> None:
    body = sequence("made", name="body")
    maker = Group("gen", Order.SEQUENCE, (), setup=task("run"), generates="nodes", carries_outputs=True)
    failed = OUTCOMES[1]
    earlier = finished(WatchedRun(Tree(sequence(maker, "b"))), body, [SUCCEEDED, SUCCEEDED, failed], None)

    start = kept_nodes(earlier)

    assert [start.tree[index].path for index in sorted(ended_beforehand(start))] == [
        "gen",
        "gen/run",
        "gen/made",
    ]
