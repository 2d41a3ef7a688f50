"""Runs that begin with some of their nodes ended: retried from the failed ones, or for some nodes only."""

from dataclasses import replace

import pytest

from lineshaft.engine.starting import Start, kept_nodes, selected_nodes
from lineshaft.model.errors import NodeNotFoundError
from lineshaft.model.event import AttemptReported
from lineshaft.model.node import Group, Order
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.surroundings import Surroundings
from lineshaft.model.tree import Tree
from trees import graph, parallel, sequence, task
from watched_run import FAILED, SUCCEEDED, WatchedRun


def began_with(start: Start) -> WatchedRun:
    watched = WatchedRun(start.tree, nodes=start.nodes, generated=start.generated, outputs=start.outputs)
    watched.queue.outputs.update(start.outputs)
    watched.queue.growths.extend(start.generated)
    watched.start()
    return watched


def ended(root: Group, **outcomes: Outcome) -> Run:
    """Let a run end in which the named tasks end so, and all others succeed."""
    watched = WatchedRun(Tree(root))
    watched.start()
    while watched.queue.queued:
        index = min(watched.queue.queued)[0]
        place = watched.run.tree[index]
        watched.do(place.path, outcomes.get(place.node.name, SUCCEEDED))
    return watched.run


def test_what_succeeded_is_kept_and_the_rest_runs_again() -> None:
    watched = began_with(kept_nodes(ended(sequence("lint", "test", "ship"), test=FAILED)))
    assert watched.states == {
        "": State.QUEUED,
        "lint": State.SUCCEEDED,
        "test": State.QUEUED,
        "ship": State.WAITING,
    }
    assert watched.code("lint") is ReasonCode.KEPT
    watched.do("test", SUCCEEDED)
    watched.do("ship", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_group_that_succeeded_is_kept_as_a_whole() -> None:
    test = parallel("unit", "api", name="test", setup=task("setup"), teardown=task("teardown"))
    watched = began_with(kept_nodes(ended(sequence(test, "ship"), ship=FAILED)))
    assert watched.state("test/teardown") is State.SUCCEEDED
    assert watched.state("ship") is State.QUEUED


def test_the_setup_and_teardown_of_a_group_that_failed_run_again() -> None:
    test = parallel("unit", "api", name="test", setup=task("setup"), teardown=task("teardown"))
    watched = began_with(kept_nodes(ended(sequence(test), api=FAILED)))
    assert watched.state("test/unit") is State.SUCCEEDED
    assert watched.state("test/setup") is State.QUEUED
    watched.do("test/setup", SUCCEEDED)
    watched.do("test/api", SUCCEEDED)
    watched.do("test/teardown", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_failure_that_was_allowed_is_tried_again() -> None:
    root = sequence(sequence(task("lint", allow_failure=True), "test", name="checks"))
    watched = began_with(kept_nodes(ended(root, lint=FAILED)))
    assert watched.state("checks/lint") is State.QUEUED
    assert watched.state("checks/test") is State.SUCCEEDED


def test_outputs_of_kept_nodes_are_kept() -> None:
    build = task("build", surroundings=Surroundings(outputs=("image",)))
    told = Outcome(State.SUCCEEDED, outputs={"image": "shop:1"})
    start = kept_nodes(ended(sequence(build, "ship"), build=told, ship=FAILED))
    assert start.outputs == {1: {"image": "shop:1"}}


def test_what_needs_a_kept_node_begins_at_once() -> None:
    root = graph("unit", task("ship", needs=("unit",)))
    watched = began_with(kept_nodes(ended(root, ship=FAILED)))
    assert watched.state("ship") is State.QUEUED


def test_a_run_of_which_all_is_kept_succeeds_at_once() -> None:
    watched = began_with(kept_nodes(ended(sequence("lint", setup=task("setup")))))
    assert watched.run.state is State.SUCCEEDED


def generated(outcome: Outcome) -> Run:
    group = Group("gen", Order.SEQUENCE, (), setup=task("run"), generates="nodes.yml")
    watched = WatchedRun(Tree(sequence("lint", group)))
    watched.start()
    watched.do("lint", SUCCEEDED)
    lease = watched.lease("gen/run")
    made = replace(SUCCEEDED, generated="- name: one")
    watched.send(AttemptReported(3, 1, lease.token, made, parallel("one", "two", name="")))
    watched.do("gen/one", SUCCEEDED)
    watched.do("gen/two", outcome)
    return watched.run


def test_generated_nodes_are_kept_with_the_task_that_made_them() -> None:
    start = kept_nodes(generated(FAILED))
    assert start.generated[0].text == "- name: one"
    watched = began_with(start)
    assert watched.state("gen/run") is State.SUCCEEDED
    assert watched.state("gen/one") is State.SUCCEEDED
    assert watched.state("gen/two") is State.QUEUED


def test_a_run_can_be_kept_twice() -> None:
    once = began_with(kept_nodes(ended(sequence("lint", "test", "ship"), test=FAILED)))
    once.do("test", SUCCEEDED)
    once.do("ship", FAILED)
    watched = began_with(kept_nodes(once.run))
    assert watched.state("lint") is State.SUCCEEDED
    assert watched.state("ship") is State.QUEUED


TEST = parallel("unit", "api", name="test", setup=task("setup"), teardown=task("teardown"))


def chosen(root: Group, only: tuple[str, ...] = (), from_: str | None = None) -> set[str]:
    tree = Tree(root)
    nodes = selected_nodes(tree, only, from_)
    return {place.path for place in tree.below_root() if not nodes[place.index].state.ended}


def test_only_some_nodes_run_with_the_setups_and_teardowns_around_them() -> None:
    only = chosen(sequence("lint", TEST, "ship"), only=("test/unit",))
    assert only == {"test", "test/setup", "test/unit", "test/teardown"}


def test_a_run_from_a_node_on_has_what_comes_after_it() -> None:
    root = sequence("lint", TEST, "ship")
    assert chosen(root, from_="test/api") == {"test", "test/setup", "test/api", "test/teardown", "ship"}


def test_a_run_from_a_node_of_a_graph_has_all_that_needs_it() -> None:
    root = graph("unit", task("image", needs=("unit",)), task("ship", needs=("image",)), "docs")
    assert chosen(root, from_="unit") == {"unit", "image", "ship"}


def test_a_run_from_a_setup_has_the_body() -> None:
    assert chosen(sequence(TEST), from_="test/setup") == {
        "test",
        "test/setup",
        "test/unit",
        "test/api",
        "test/teardown",
    }


def test_a_selected_run_ends_when_what_was_chosen_has() -> None:
    tree = Tree(sequence("lint", "test", "ship"))
    watched = began_with(Start(tree, selected_nodes(tree, ["test"])))
    assert watched.code("ship") is ReasonCode.NOT_SELECTED
    watched.do("test", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_path_that_no_node_has_is_refused() -> None:
    with pytest.raises(NodeNotFoundError, match="no node 'tets'"):
        selected_nodes(Tree(sequence("test")), ["tets"])
