"""Nodes that a task generates: what they take from it, and what is refused."""

import pytest

from lineshaft.definition import read_generated
from lineshaft.model.errors import InputTooLargeError, InvalidDefinitionError
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.retry import Retry
from lineshaft.model.tree import Tree
from lineshaft.model.value import Bindings
from native_definitions import native

DEFINITION = native("""
name: p
inputs: {level: {default: fast}}
defaults: {image: py}
secrets: [S]
id_tokens: {ID: sts.example}
steps:
  - {name: before, run: x}
  - name: g
    matrix: {v: [1]}
    env: {A: 1}
    labels: [linux]
    retry: 2
    steps: [{name: gen, run: x, generates: n.yml, env: {B: 2}, environment: prod}]
  - {name: after, run: x}
""")


def generated(text: str, tree: Tree = DEFINITION.tree, path: str = "g/1/gen") -> Group:
    place = tree.find(path)
    assert place is not None
    return read_generated(text, DEFINITION, tree, place.index)


def refused(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDefinitionError) as caught:
        generated(text)
    return [(each.field, each.message) for each in caught.value.problems]


def test_a_list_of_nodes_becomes_a_sequence() -> None:
    body = generated("- {name: a, run: x}\n- {name: b, steps: [{name: c, run: x}]}")
    assert body.order is Order.SEQUENCE
    assert [child.name for child in body.children] == ["a", "b"]


def test_the_keys_of_a_group_say_how_the_nodes_run() -> None:
    body = generated(
        '{"parallel": true, "fail_fast": true, "env": {"C": 3}, "steps": [{"name": "a", "run": "x"}]}'
    )
    assert (body.order, body.fail_fast) == (Order.PARALLEL, True)
    assert isinstance(body.children[0], Task)
    assert body.children[0].surroundings.env == {"A": "1", "B": "2", "C": "3"}


def test_generated_nodes_take_what_was_around_their_maker_and_the_defaults() -> None:
    (made,) = generated("- {name: a, run: x}").children
    assert isinstance(made, Task)
    assert made.surroundings.labels == ("linux",)
    assert made.surroundings.image == "py"
    assert made.surroundings.secrets == ("S",)
    assert made.surroundings.environment == "prod"
    assert made.surroundings.id_tokens == {"ID": "sts.example"}
    assert made.retry == Retry(2)
    assert made.bindings == Bindings({"v": 1})


def test_expressions_may_name_what_the_makers_could() -> None:
    generated("""
- {name: a, run: x, if: outputs.before.v == "1" && matrix.v == 1 && inputs.level == "fast"}
- {name: b, run: x, env: {A: "${{ outputs.a.v }}", B: "${{ outputs.run.v }}"}}
""")


def test_generated_nodes_generate_others() -> None:
    place = DEFINITION.tree.find("g/1/gen")
    assert place is not None
    tree = DEFINITION.tree.grown(place.index, generated("- {name: more, run: x, generates: m.yml}"))
    body = generated("- {name: a, run: x}", tree, "g/1/gen/more")
    assert [child.name for child in body.children] == ["a"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("- {name: a}", [("steps.0", "says nothing to do")]),
        ("- {name: u, use: f}", [("steps.0.use", "has no place in generated nodes")]),
        (
            "- {name: run, run: x}",
            [("steps.0.name", "is the name of the task that generates the nodes, run")],
        ),
        ("setup: {run: x}\nsteps: []", [("setup", "has no place around generated nodes")]),
        ("- {name: a, run: x, if: inputs.x}", [("steps.0.if", 'names no input: "x"')]),
        ("- {name: a, run: x, if: matrix.w}", [("steps.0.if", 'names no axis of a matrix around it: "w"')]),
        (
            '- {name: a, run: x, if: state("after") == ""}',
            [("steps.0.if", 'asks for "after", which comes later')],
        ),
        (
            "- {name: a, run: x, parallel: true, colour: red}\n- {name: a, run: x}",
            [
                ("steps.0.parallel", "has no meaning beside `run`"),
                ("steps.0.colour", "is unknown in a node"),
                ("steps.1.name", 'must be unique within its group; "a" is in line 1 already'),
            ],
        ),
        ("7", [("", "must be an object, not 7")]),
    ],
)
def test_what_is_wrong_with_generated_nodes_is_told(text: str, problems: list[tuple[str, str]]) -> None:
    assert refused(text) == problems


def test_the_nodes_that_are_there_count_against_the_limit() -> None:
    matrix = f"matrix: {{a: {list(range(141))}}}"
    text = f"- {{name: a, {matrix}, steps: [{{name: b, {matrix}, run: x}}]}}"
    place = DEFINITION.tree.find("g/1/gen")
    assert place is not None
    # 1 + 141 * (1 + 1 + 141) nodes, where there is room for 20,000 with the ones that are there.
    with pytest.raises(InputTooLargeError, match="20,000"):
        generated(text)


def test_only_a_group_that_generates_can_be_given_nodes() -> None:
    with pytest.raises(ValueError, match="generates nothing"):
        generated("[]", path="before")
