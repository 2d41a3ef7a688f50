"""What tasks ask of the workers that take them, as the engine queues them."""

from dataclasses import replace
from typing import Any

import pytest

from lineshaft.engine.advance import advance
from lineshaft.engine.decision import AttemptQueued, Decision
from lineshaft.model.event import RunStarted
from lineshaft.model.node import Node
from lineshaft.model.placement import Demand
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.surroundings import Resources, Surroundings
from lineshaft.model.tree import Tree
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import ManualClock
from trees import sequence, task
from watched_run import new_run


def started(node: Node, **fields: Any) -> Decision:
    run: Run = replace(new_run(Tree(sequence(node))), **fields)
    return advance(run, RunStarted(), ManualClock().now())


def labelled(*labels: str, **inputs: str) -> Decision:
    surroundings = Surroundings(labels=labels)
    return started(task("a", surroundings=surroundings, has_expressions=True), inputs=inputs)


def test_an_attempt_is_queued_with_what_it_asks_for_and_the_priority_of_its_run() -> None:
    surroundings = Surroundings(labels=("gpu", "linux"), resources=Resources(2, 1024))
    decision = started(task("a", WorkKind.BUILD, surroundings=surroundings), priority=7)
    assert [effect for effect in decision.effects if isinstance(effect, AttemptQueued)] == [
        AttemptQueued(1, 1, Demand(WorkKind.BUILD, ("gpu", "linux"), 2, 1024), 7)
    ]


def test_a_label_from_an_expression_is_asked_for() -> None:
    decision = labelled("os-${{ inputs.os }}", os="linux")
    assert [effect.demand.labels for effect in decision.effects if isinstance(effect, AttemptQueued)] == [
        ("os-linux",)
    ]


@pytest.mark.parametrize("text", ["big iron", "", "-x", "é", "a\n", "x" * 101, "x" * 10_000])
def test_a_label_of_the_wrong_shape_fails_its_task(text: str) -> None:
    decision = labelled("${{ inputs.os }}", os=text)
    node = decision.run.nodes[1]
    assert not [effect for effect in decision.effects if isinstance(effect, AttemptQueued)]
    assert node.state is State.FAILED
    assert node.reason is not None
    assert node.reason.code is ReasonCode.EXPRESSION_FAILED
    assert node.reason.text.startswith("It asks for the label '")
    assert len(node.reason.text) < 300


def test_labels_that_were_kept_before_there_were_rules_fail_their_task() -> None:
    surroundings = Surroundings(labels=tuple(f"l{number}" for number in range(101)))
    node = started(task("a", surroundings=surroundings)).run.nodes[1]
    assert node.reason is not None
    assert (node.state, node.reason.text) == (
        State.FAILED,
        "It asks for 101 labels, and a task may ask for 100.",
    )
