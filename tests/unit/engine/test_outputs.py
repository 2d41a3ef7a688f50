"""Outputs and generated nodes: what a task tells, and what it makes."""

from dataclasses import replace

from lineshaft.engine.decision import OutputsGiven, RunEnded, TreeGrown
from lineshaft.model.condition import Condition
from lineshaft.model.event import AttemptReported
from lineshaft.model.node import Group, Order
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Generated
from lineshaft.model.state import State
from lineshaft.model.surroundings import Surroundings
from lineshaft.model.tree import ROOT, Tree
from trees import parallel, sequence, task
from watched_run import FAILED, STOPPED, SUCCEEDED, WatchedRun

TELLS = Surroundings(outputs=("image",))
TOLD = Outcome(State.SUCCEEDED, outputs={"image": "shop:1", "other": "x"})
MADE = replace(SUCCEEDED, generated="- name: one")
BODY = parallel("one", "two", name="")


def begun(root: Group) -> WatchedRun:
    watched = WatchedRun(Tree(root))
    watched.start()
    return watched


def test_a_task_gives_the_outputs_that_it_declares() -> None:
    watched = begun(sequence(task("build", surroundings=TELLS)))
    decision = watched.do("build", TOLD)
    assert OutputsGiven(1, {"image": "shop:1"}) in decision.effects
    assert watched.run.outputs == {1: {"image": "shop:1"}}


def test_a_task_that_did_not_succeed_gives_none() -> None:
    watched = begun(sequence(task("build", surroundings=TELLS)))
    watched.do("build", replace(FAILED, outputs={"image": "shop:1"}))
    assert not watched.run.outputs


def test_a_later_node_sees_them() -> None:
    condition = Condition('outputs.build.image == "shop:1"')
    watched = begun(sequence(task("build", surroundings=TELLS), task("ship", condition=condition)))
    watched.do("build", TOLD)
    assert watched.state("ship") is State.QUEUED


def test_a_group_carries_those_of_the_task_that_it_stands_for() -> None:
    run = task("run", surroundings=TELLS)
    watched = begun(sequence(sequence(run, name="build", teardown=task("teardown"), carries_outputs=True)))
    watched.do("build/run", TOLD)
    watched.do("build/teardown", SUCCEEDED)
    assert watched.run.outputs[1] == {"image": "shop:1"}


def test_the_run_tells_its_caller_what_its_outputs_come_to() -> None:
    root = sequence(task("build", surroundings=TELLS), outputs={"tag": "${{ outputs.build.image }}!"})
    watched = begun(root)
    decision = watched.do("build", TOLD)
    assert decision.effects[-2:] == (OutputsGiven(ROOT, {"tag": "shop:1!"}), RunEnded(State.SUCCEEDED))


def test_a_run_whose_outputs_cannot_be_evaluated_fails() -> None:
    watched = begun(sequence("build", outputs={"tag": "${{ outputs.build.image }}"}))
    watched.do("build", SUCCEEDED)
    assert watched.run.state is State.FAILED
    assert watched.code("") is ReasonCode.EXPRESSION_FAILED


def test_a_run_that_failed_tells_nothing() -> None:
    watched = begun(sequence("build", outputs={"tag": "x"}))
    watched.do("build", FAILED)
    assert watched.run.state is State.FAILED
    assert not watched.run.outputs


def generating() -> WatchedRun:
    group = Group("gen", Order.SEQUENCE, (), setup=task("run"), generates="nodes.yml")
    watched = begun(sequence(group, "after"))
    watched.lease("gen/run")
    return watched


def report_made(watched: WatchedRun) -> None:
    index, node = watched.place("gen/run").index, watched.node("gen/run")
    assert node.lease is not None
    watched.send(AttemptReported(index, node.attempt, node.lease.token, MADE, BODY))


def test_the_nodes_that_a_task_makes_become_its_group_s_body() -> None:
    watched = generating()
    report_made(watched)
    assert watched.run.generated == (Generated(1, "- name: one"),)
    assert watched.state("gen/one") is State.QUEUED
    assert watched.state("gen/two") is State.QUEUED
    watched.do("gen/one", SUCCEEDED)
    watched.do("gen/two", SUCCEEDED)
    assert watched.state("after") is State.QUEUED


def test_growing_is_told_before_what_begins_in_it() -> None:
    watched = generating()
    node = watched.node("gen/run")
    assert node.lease is not None
    decision = watched.send(AttemptReported(2, 1, node.lease.token, MADE, BODY))
    grown = TreeGrown(1, Generated(1, "- name: one"))
    assert [type(effect).__name__ for effect in decision.effects] == [
        "AttemptEnded",
        "TreeGrown",
        "AttemptQueued",
        "AttemptQueued",
    ]
    assert grown in decision.effects


def test_a_failed_generated_node_fails_the_group() -> None:
    watched = generating()
    report_made(watched)
    watched.do("gen/one", FAILED)
    watched.do("gen/two", SUCCEEDED)
    assert watched.state("gen") is State.FAILED


def test_nodes_that_are_made_in_spite_of_a_cancellation_do_not_begin() -> None:
    watched = generating()
    watched.cancel()
    report_made(watched)
    assert watched.state("gen/run") is State.SUCCEEDED
    assert watched.state("gen/one") is State.CANCELLED
    assert watched.run.state is State.CANCELLED


def test_a_generator_that_fails_makes_nothing() -> None:
    watched = generating()
    watched.report("gen/run", STOPPED)
    assert watched.state("gen") is State.FAILED
    assert len(watched.run.tree) == len(watched.run.nodes)


def test_nodes_from_a_task_that_generates_none_are_not_heard() -> None:
    watched = begun(sequence("lint"))
    lease = watched.lease("lint")
    watched.send(AttemptReported(1, 1, lease.token, SUCCEEDED, BODY))
    assert not watched.run.generated
    assert watched.run.state is State.SUCCEEDED


def test_outputs_of_a_run_that_are_too_long_together_fail_it() -> None:
    outputs = {f"n{number}": "${{ outputs.build.image }}" for number in range(3)}
    watched = begun(sequence(task("build", surroundings=TELLS), outputs=outputs))
    watched.do("build", Outcome(State.SUCCEEDED, outputs={"image": "x" * 30_000}))
    assert (watched.state(""), watched.code("")) == (State.FAILED, ReasonCode.EXPRESSION_FAILED)


def test_an_environment_that_templates_make_too_long_fails_its_task() -> None:
    env = {f"N{number}": "${{ outputs.build.image }}" for number in range(40)}
    ship = task("ship", surroundings=Surroundings(env=env), has_expressions=True)
    watched = begun(sequence(task("build", surroundings=TELLS), ship))
    watched.do("build", Outcome(State.SUCCEEDED, outputs={"image": "x" * 60_000}))
    assert (watched.state("ship"), watched.code("ship")) == (State.FAILED, ReasonCode.EXPRESSION_FAILED)
