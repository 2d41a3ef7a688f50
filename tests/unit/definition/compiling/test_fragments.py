"""Fragments: found in the definition or in files, read, and given their inputs."""

import pytest

from lineshaft.model.errors import InputTooLargeError
from lineshaft.model.node import Order
from lineshaft.model.value import Bindings
from native_definitions import group, native, node, paths, problem, problems, reread, task

USE = "- {name: u, use: ci/f.yml}"


def test_a_fragment_becomes_a_group_even_with_one_node() -> None:
    definition = native(USE, {"ci/f.yml": "steps: [{name: a, run: x}]"})
    assert paths(definition) == ["u", "u/a"]


def test_a_fragment_says_how_its_nodes_run_and_what_is_around_them() -> None:
    definition = native(
        "name: p\nenv: {A: p, B: p, C: p}\nsteps: [{name: u, use: f, env: {B: u, C: u}, labels: [u]}]",
        {
            "f": """
parallel: true
fail_fast: true
env: {C: f}
labels: [f]
setup: {run: s}
steps: [{name: a, run: x}]
"""
        },
    )
    around = group(definition, "u")
    assert around.order is Order.PARALLEL
    assert around.fail_fast
    assert paths(definition) == ["u", "u/setup", "u/a"]
    assert task(definition, "u/a").surroundings.env == {"A": "p", "B": "u", "C": "f"}
    assert task(definition, "u/a").surroundings.labels == ("f", "u")


def test_a_fragment_sees_what_it_is_given_and_its_defaults() -> None:
    definition = native(
        """
- name: u
  matrix: {v: [1]}
  if: matrix.v == 1
  use: f
  with: {n: "${{ matrix.v }}"}
""",
        {"f": "inputs: {n: {}, m: {default: '${{ plain'}}\nsteps: [{name: a, run: x, if: inputs.n == '1'}]"},
    )
    outer = Bindings({"v": 1})
    assert node(definition, "u/1").bindings == outer
    # The default is no template, though it looks like the beginning of one.
    assert node(definition, "u/1/a").bindings == Bindings(
        inputs={"n": "${{ matrix.v }}", "m": "$${{ plain"}, outer=outer
    )


def test_the_nodes_own_setup_sees_what_is_outside_of_the_fragment() -> None:
    definition = native("- {name: u, use: f, setup: {run: s}}", {"f": "steps: [{name: a, run: x}]"})
    assert task(definition, "u/setup").bindings is None


def test_fragments_use_others() -> None:
    files = {"f": "steps: [{name: a, use: g}]", "g": "steps: [{name: b, run: x}]"}
    assert paths(native("- {name: u, use: f}", files)) == ["u", "u/a", "u/a/b"]


def test_the_definitions_own_fragments_come_before_those_of_the_commit() -> None:
    definition = native(
        "name: p\nfiles: {f: {steps: [{name: own, run: x}]}}\nsteps: [{name: u, use: f}]",
        {"f": "steps: [{name: other, run: x}]"},
    )
    assert paths(definition) == ["u", "u/own"]


def test_what_is_kept_of_a_definition_holds_its_fragments() -> None:
    files = {"f": "steps: [{name: a, use: g}]", "g": "steps: [{name: b, run: x, timeout: 5m}]"}
    definition = native("- {name: u, use: f}", files)
    assert reread(definition).tree.places == definition.tree.places
    assert native(definition.text).hash == definition.hash


def test_a_circle_is_refused_and_printed() -> None:
    files = {"f": "steps: [{name: a, use: g}]", "g": "steps: [{name: b, run: x}, {name: c, use: f}]"}
    found = problem("- {name: u, use: f}", files)
    assert (found.file, found.field) == ("g", "steps.1.use")
    assert found.message == "makes a circle: f -> g -> f"


def test_a_fragment_that_is_nowhere_is_told() -> None:
    assert "the commit has no such file" in problem(USE, {}).message
    assert "there is no commit to look in" in problem(USE).message


def test_mistakes_in_fragments_are_told_with_their_file_and_line() -> None:
    files = {
        "f": "steps:\n  - {name: a, run: x, tiemout: 5m}",
        "g": "steps: [",
        "h": "inputs: {n: {}}\nsteps:\n  - {name: a, run: x, if: inputs.level == 'x'}",
    }
    steps = "{name: u, use: f}, {name: v, use: g}, {name: w, use: h}, {name: u, run: x}"
    found = problems(f"name: p\ninputs: {{level: {{}}}}\nsteps: [{steps}]", files)
    assert [(each.file, each.line, each.field) for each in found] == [
        ("", 3, "steps.2.use"),
        ("", 3, "steps.3.name"),
        ("g", 1, ""),
        ("f", 2, "steps.0.tiemout"),
        ("h", 3, "steps.0.if"),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{}", "is not given what it asks for: n"),
        ("{n: 1}", "must be text, not 1"),
        ("{n: x, m: c}", 'must be one of "a", "b", not "c"'),
        ("{n: x, o: yes}", 'must be true or false, not "yes"'),
        ("{n: x, q: 1}", "is no input of the fragment"),
    ],
)
def test_what_a_fragment_is_given_is_checked(given: str, message: str) -> None:
    fragment = "inputs: {n: {}, m: {choices: [a, b], default: a}, o: {default: true}}\nsteps: []"
    assert problem(f"- {{name: u, use: f, with: {given}}}", {"f": fragment}).message == message


def test_two_setups_for_one_group_are_refused() -> None:
    found = problem("- {name: u, use: f, setup: {run: s}}", {"f": "setup: {run: s}\nsteps: []"})
    assert (found.field, found.message) == ("steps.0.setup", "stands beside the setup of the fragment")


def test_a_definition_with_all_its_fragments_is_no_longer_than_the_limit() -> None:
    large = f"steps: []\n# {'x' * 600_000}"
    with pytest.raises(InputTooLargeError, match="1,048,576 bytes; g goes over it"):
        native("- {name: u, use: f}\n- {name: v, use: g}", {"f": large, "g": large})


def test_fragments_that_multiply_are_refused_at_the_limit() -> None:
    files = {
        f"f{level}": f"steps: [{{name: a, use: f{level + 1}}}, {{name: b, use: f{level + 1}}}]"
        for level in range(30)
    }
    files["f30"] = "steps: []"
    with pytest.raises(InputTooLargeError, match="20,000 nodes"):
        native("- {name: u, use: f0}", files)


def test_a_long_row_of_fragments_is_refused_as_too_deep() -> None:
    files = {f"f{level}": f"steps: [{{name: a, use: f{level + 1}}}]" for level in range(3_000)}
    with pytest.raises(InputTooLargeError, match="100 deep"):
        native("- {name: u, use: f0}", files)
