"""Matrices: which nodes they make, and what those are called."""

import pytest

from lineshaft.model.condition import Condition
from lineshaft.model.node import Order
from lineshaft.model.value import Bindings
from native_definitions import group, native, node, paths, problem, problems, task


def test_a_matrix_makes_a_parallel_group_with_a_node_for_each_combination() -> None:
    definition = native("- {name: t, run: x, matrix: {os: [linux, mac], python: ['3.11', '3.12']}}")
    assert paths(definition) == ["t", "t/linux-3.11", "t/linux-3.12", "t/mac-3.11", "t/mac-3.12"]
    assert group(definition, "t").order is Order.PARALLEL
    assert node(definition, "t/mac-3.11").bindings == Bindings({"os": "mac", "python": "3.11"})


def test_names_of_combinations_say_values_as_text_and_hold_no_slash() -> None:
    definition = native("- {name: t, run: x, matrix: {v: [a/b, 1, 2.5, true]}}")
    assert paths(definition)[1:] == ["t/a_b", "t/1", "t/2.5", "t/true"]


def test_include_adds_and_exclude_drops_combinations() -> None:
    definition = native("""
- name: t
  run: x
  matrix: {a: [1, 2], b: [1, true], exclude: [{a: 2, b: true}, {a: 1, b: 1}], include: [{a: 9, c: x}]}
""")
    assert paths(definition)[1:] == ["t/1-true", "t/2-1", "t/9-x"]


def test_what_is_before_the_matrix_belongs_to_the_group_and_the_rest_to_each_instance() -> None:
    definition = native("""
- {name: a, run: x}
- name: t
  needs: [a]
  if: matrix.v == 1
  fail_fast: true
  allow_failure: true
  matrix: {v: [1, 2]}
  setup: {run: s}
  run: x
""")
    around, instance = group(definition, "t"), group(definition, "t/1")
    assert around.needs == ("a",)
    assert around.fail_fast
    assert around.condition is None
    assert not around.allow_failure
    assert instance.needs == ()
    assert instance.condition == Condition("matrix.v == 1")
    assert instance.allow_failure
    assert instance.setup is not None
    assert instance.setup.bindings == Bindings({"v": 1})


def test_a_matrix_within_another_sees_the_axes_of_both() -> None:
    definition = native("""
- name: g
  matrix: {a: [1]}
  steps: [{name: t, matrix: {b: [2]}, run: x, if: matrix.a < matrix.b}]
""")
    assert node(definition, "g/1/t/2").bindings == Bindings({"a": 1, "b": 2})


def test_instances_share_their_surroundings() -> None:
    definition = native("- {name: t, run: x, matrix: {v: [1, 2]}, env: {V: '${{ matrix.v }}'}}")
    assert task(definition, "t/1").surroundings is task(definition, "t/2").surroundings


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("{a: [1, '1']}", 'has two combinations of one name, "1"'),
        ("{a: [1], exclude: [{a: 1}]}", "has no combination left"),
        ("{a: ['..']}", 'names a node "..", which is no name'),
        (f"{{a: {list(range(257))}}}", "has 257 combinations; at most 256 are allowed"),
        (
            f"{{a: {list(range(200))}, b: {list(range(200))}}}",
            "has 40,000 combinations before any is excluded; at most 10,000 are allowed",
        ),
    ],
)
def test_a_matrix_that_makes_no_good_nodes_is_refused(matrix: str, message: str) -> None:
    found = problem(f"- {{name: t, run: x, matrix: {matrix}}}")
    assert (found.field, found.message) == ("steps.0.matrix", message)


def test_an_expression_cannot_name_nodes() -> None:
    found = problem("- {name: t, run: x, matrix: {a: [x, '${{ branch }}']}}")
    assert found.field == "steps.0.matrix.a.1"


def test_every_wrong_matrix_is_told() -> None:
    step = "{name: NAME, run: x, matrix: {a: [1, '1']}}"
    found = problems(f"- {step.replace('NAME', 'a')}\n- {step.replace('NAME', 'b')}")
    assert [each.field for each in found] == ["steps.0.matrix", "steps.1.matrix"]
