"""Overrides: single values that are replaced before a definition is checked."""

import pytest

from lineshaft.model.work import RunWork
from native_definitions import native, node, problems, task

TEXT = """
name: p
env: &env {A: one}
steps:
  - {name: unit, run: x, env: *env}
  - {name: g, steps: [{name: b, run: x}]}
"""


def test_nodes_are_named_by_number_or_by_name() -> None:
    overrides = [("steps.0.run", "y"), ("steps.g.steps.b.run", "z")]
    definition = native(TEXT, overrides=overrides)
    assert task(definition, "unit").work == RunWork("y", "sh -e")
    assert task(definition, "g/b").work == RunWork("z", "sh -e")


def test_a_key_may_be_new() -> None:
    definition = native(TEXT, overrides=[("steps.unit.timeout", "5m"), ("steps.g.env.B", "two")])
    assert task(definition, "unit").timeout is not None
    assert task(definition, "g/b").surroundings.env == {"A": "one", "B": "two"}


def test_a_value_is_yaml() -> None:
    definition = native(TEXT, overrides=[("steps.unit.matrix", "{v: [1, 2]}"), ("name", '"7"')])
    assert node(definition, "unit/2").bindings is not None
    assert definition.name == "7"


def test_only_the_place_that_is_named_is_changed() -> None:
    definition = native(TEXT, overrides=[("steps.unit.env.A", "two")])
    assert task(definition, "unit").surroundings.env == {"A": "two"}
    assert task(definition, "g/b").surroundings.env == {"A": "one"}


@pytest.mark.parametrize(
    ("path", "value", "field", "message"),
    [
        ("steps.unti.run", "y", "-o steps.unti.run", 'names no item of steps: "unti"'),
        ("steps.7.run", "y", "-o steps.7.run", 'names no item of steps: "7"'),
        ("name.x.y", "y", "-o name.x.y", "leads into name, which is no object and no list"),
        (
            "steps..x",
            "y",
            "-o steps..x",
            "is no path: write keys joined with `.`, such as `steps.unit.timeout`",
        ),
        (
            "env.A",
            "[",
            "-o env.A",
            "has a value that cannot be read: it is not YAML: did not find expected node content",
        ),
        ("nmae", "y", "nmae", "is unknown in a pipeline, as -o nmae has it"),
        (
            "steps.unit.parallel",
            "true",
            "steps.0.parallel",
            "has no meaning beside `run`, as -o steps.unit.parallel has it",
        ),
        (
            "steps.g.steps.b",
            "{name: b, run: 7}",
            "steps.1.steps.0.run",
            "must be text, not empty, without ${{ }}, not 7, as -o steps.g.steps.b has it",
        ),
    ],
)
def test_what_is_wrong_with_an_override_is_told(path: str, value: str, field: str, message: str) -> None:
    (found,) = problems(TEXT, overrides=[(path, value)])
    assert (found.field, found.message) == (field, message)
