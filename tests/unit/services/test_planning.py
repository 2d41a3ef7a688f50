"""Dry runs: what would run, what not, and what cannot be known yet."""

from collections.abc import Iterator

import pytest

from lineshaft.definition import resolve_inputs
from lineshaft.model.cause import Cause
from lineshaft.model.image import ImageBuild
from lineshaft.model.node import Order, Role
from lineshaft.model.run import Source
from lineshaft.services.planning import PlannedDecision, PlannedNode, plan
from native_definitions import native

RUNS, SKIPPED, UNKNOWN = PlannedDecision.RUNS, PlannedDecision.SKIPPED, PlannedDecision.UNKNOWN


def walk(node: PlannedNode) -> Iterator[PlannedNode]:
    yield node
    for child in node.children:
        yield from walk(child)


def planned(text: str, source: Source | None = None, **inputs: object) -> dict[str, PlannedNode]:
    definition = native(text)
    made = plan(definition, resolve_inputs(definition, inputs), source)
    return {node.path: node for node in walk(made.root)}


def decision(condition: str, source: Source | None = None) -> PlannedDecision:
    text = f"- {{name: a, run: x}}\n- name: b\n  run: x\n  if: >-\n    {condition}"
    return planned(text, source)["b"].decision


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('branch == "main"', RUNS),
        ('branch == "dev"', SKIPPED),
        ('changed("src/**")', RUNS),
        ('changed("docs/**")', SKIPPED),
        ("always()", RUNS),
        ("succeeded() || failed()", RUNS),
        ("failed()", UNKNOWN),
        ('failed() && branch == "dev"', SKIPPED),
        ('failed("a") || branch == "main"', RUNS),
        ('succeeded("a") && failed("a")', UNKNOWN),
        ('state("a") == "failed"', UNKNOWN),
        ('outputs.a.v == "1"', UNKNOWN),
        ("int(branch) == 1", UNKNOWN),
        ('"text"', UNKNOWN),
    ],
)
def test_a_condition_is_decided_as_far_as_it_can_be_known(condition: str, expected: PlannedDecision) -> None:
    source = Source("", branch="main", changeset=("src/a.py",))
    assert decision(condition, source) is expected


def test_changes_that_are_not_known_are_taken_for_any() -> None:
    assert decision('changed("docs/**")') is RUNS


def test_a_skipped_node_says_why() -> None:
    node = planned('- {name: a, run: x, if: branch == "main"}')["a"]
    assert node.reason == 'Its condition is false: branch == "main"'


def test_all_in_a_skipped_group_is_skipped_and_in_an_unknown_one_unknown() -> None:
    nodes = planned("""
- {name: a, run: x}
- {name: g, if: "false", setup: {run: s}, steps: [{name: b, run: x, if: always()}]}
- {name: h, if: failed(), steps: [{name: c, run: x}, {name: d, run: x, if: "false"}]}
""")
    assert [nodes[path].decision for path in ("g", "g/setup", "g/b")] == [SKIPPED] * 3
    assert [nodes[path].decision for path in ("h", "h/c", "h/d")] == [UNKNOWN, UNKNOWN, SKIPPED]


def test_inputs_and_combinations_decide() -> None:
    text = """
name: p
inputs: {level: {default: fast}}
files: {f: {inputs: {v: {type: number}}, steps: [{name: x, run: x, if: inputs.v == 2}]}}
steps:
  - {name: a, run: x, if: inputs.level == "full"}
  - {name: m, matrix: {v: [1, 2]}, use: f, with: {v: "${{ matrix.v }}"}}
"""
    assert planned(text)["a"].decision is SKIPPED
    nodes = planned(text, level="full")
    assert nodes["a"].decision is RUNS
    assert [nodes[path].decision for path in ("m/1/x", "m/2/x")] == [SKIPPED, RUNS]


def test_the_event_decides() -> None:
    definition = native("- {name: a, run: x, if: event == 'push'}")
    assert plan(definition, {}, cause=Cause.PUSH).root.children[0].decision is RUNS
    assert plan(definition, {}).root.children[0].decision is SKIPPED


def test_a_plan_shows_kinds_orders_roles_and_needs() -> None:
    nodes = planned("""
- {name: a, exec: [x], setup: {run: s}}
- {name: b, needs: [a], run: x, generates: n.yml}
""")
    assert nodes[""].order is Order.GRAPH
    assert [child.path for child in nodes["a"].children] == ["a/setup", "a/exec"]
    assert nodes["a/setup"].role is Role.SETUP
    assert (nodes["a"].kind, nodes["a/exec"].kind, nodes["b/run"].kind) == ("group", "exec", "run")
    assert nodes["b"].needs == ("a",)
    assert nodes["b"].generates == "n.yml"


def test_a_plan_shows_the_image_of_a_task_and_the_services_beside_it() -> None:
    nodes = planned("""
- {name: a, run: x, image: {build: {context: ci}}}
- {name: b, run: x, image: go, services: {db: {image: postgres}}}
- {name: c, run: x}
""")
    assert nodes["a"].image == ImageBuild("ci/Dockerfile", "ci")
    assert (nodes["b"].image, nodes["b"].services) == ("go", ("db",))
    assert (nodes["c"].image, nodes["c"].services) == (None, ())
