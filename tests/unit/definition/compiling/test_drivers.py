"""Tasks of drivers, and what a pipeline says for them."""

from datetime import timedelta

import pytest

from lineshaft.definition import read_definition
from lineshaft.definition.compiling.read import read_native
from lineshaft.model.errors import InvalidDefinitionError
from lineshaft.model.retry import Retry
from lineshaft.model.surroundings import Resources
from lineshaft.model.work import DriverWork
from native_definitions import native, problem, task


def test_a_driver_s_task_takes_any_json() -> None:
    given = native("- {name: a, driver: up-load.1, with: {a: 1, b: [x, {c: null, d: 1.5}], e: {}, f: true}}")
    assert task(given, "a").work == DriverWork(
        "up-load.1", {"a": 1, "b": ["x", {"c": None, "d": 1.5}], "e": {}, "f": True}
    )
    assert not task(given, "a").has_expressions


def test_expressions_may_stand_in_every_text_of_its_inputs() -> None:
    given = native('- {name: a, driver: compile, with: {a: [{b: "${{ branch }}"}]}}')
    assert task(given, "a").has_expressions


def test_a_driver_s_task_takes_what_fits() -> None:
    made = task(
        native(
            "- {name: a, driver: compile, timeout: 10m, retry: 2, labels: [gpu], secrets: [TOKEN],"
            " environment: prod, resources: {cpus: 2}, idempotent: true, id_tokens: {ID: there}}"
        ),
        "a",
    )
    around = made.surroundings
    assert (made.timeout, made.retry, made.idempotent) == (timedelta(minutes=10), Retry(2), True)
    assert (around.labels, around.secrets, around.environment) == (("gpu",), ("TOKEN",), "prod")
    assert (around.resources, around.id_tokens) == (Resources(2, None), {"ID": "there"})
    assert made.demand.kind == "compile"


def test_the_default_image_is_not_for_drivers() -> None:
    made = read_native(b"{name: p, defaults: {image: debian}, steps: [{name: a, driver: compile}]}")
    place = made.tree.find("a")
    assert place is not None
    assert task(made, "a").surroundings.image is None


@pytest.mark.parametrize(
    "key",
    [
        "image: x",
        "services: {}",
        "cwd: x",
        "outputs: [a]",
        "results: []",
        "artifacts: a",
        "cache: a",
        "shell: sh",
    ],
)
def test_what_needs_a_workspace_has_no_meaning_beside_a_driver(key: str) -> None:
    assert "has no meaning beside `driver`" in problem(f"- {{name: a, driver: compile, {key}}}").message


@pytest.mark.parametrize(
    "name", ["run", "exec", "build", "deploy", "builder", "pipeline", "steps", "use", "group"]
)
def test_a_driver_is_not_called_like_another_key(name: str) -> None:
    assert "must be the name of a driver" in problem(f"- {{name: a, driver: {name}}}").message


@pytest.mark.parametrize("name", ["a/b", "-a", "", "x" * 101, "${{ branch }}"])
def test_the_name_of_a_driver_is_written_out(name: str) -> None:
    assert "must be 1 to 100 letters" in problem(f'- {{name: a, driver: "{name}"}}').message


@pytest.mark.parametrize(("value", "words"), [("[1]", "a list"), ("{}", "an empty object"), ("null", "null")])
def test_a_pipeline_that_is_called_takes_single_values_only(value: str, words: str) -> None:
    found = problem(f"- {{name: a, pipeline: other, with: {{x: {value}}}}}")
    assert (found.field, found.message) == (
        "steps.0.with.x",
        f"must be text, a number, true or false, not {words}",
    )


@pytest.mark.parametrize("kind", ["driver: compile", "run: make"])
def test_what_may_not_begin_twice_has_no_retry(kind: str) -> None:
    assert "forbids" in problem(f"- {{name: a, {kind}, idempotent: false, retry: 1}}").message


def test_what_may_not_begin_twice_takes_no_retry_from_around_it() -> None:
    given = read_native(
        b"{name: p, defaults: {retry: 2}, steps: [{name: a, driver: compile, idempotent: false}]}"
    )
    assert task(given, "a").retry is None


def test_a_task_that_does_not_say_leaves_it_to_its_kind() -> None:
    given = native("- {name: a, run: make}\n- {name: b, deploy: {manifests: m, cluster: c}}")
    assert [(task(given, name).idempotent, task(given, name).may_begin_again) for name in ("a", "b")] == [
        (None, True),
        (None, False),
    ]


TEXT = b"""
name: conveyor
resource: app
metadata: {channel: stable, level: 3}
steps:
  - {name: compile, driver: compile, with: {of: ["${{ resource.spec.image }}", null]}, idempotent: false}
"""


def test_type_and_metadata_are_the_pipeline_s() -> None:
    made = read_native(TEXT)
    assert (made.resource, made.metadata) == ("app", {"channel": "stable", "level": "3"})
    assert made.tree.root.metadata == made.metadata


def test_the_canonical_form_says_all_of_it() -> None:
    made = read_native(TEXT)
    again = read_definition(made.format, made.text)
    assert (again.hash, again.resource, again.metadata) == (made.hash, made.resource, made.metadata)
    assert again.tree.root == made.tree.root


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{name: p, resource: a b, steps: []}", "resource"),
        ('{name: p, metadata: {a: "${{ branch }}"}, steps: []}', "metadata.a"),
        ("{name: p, metadata: {a b: c}, steps: []}", "metadata.a b"),
        ("{name: p, metadata: {a: [c]}, steps: []}", "metadata.a"),
        ("{name: p, steps: [{name: a, run: make, if: resource.nmae == 'x'}]}", "steps.0.if"),
        ("{name: p, steps: [{name: a, run: make, if: pipeline.metdata.x == 'x'}]}", "steps.0.if"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(text: str, field: str) -> None:
    with pytest.raises(InvalidDefinitionError) as refused:
        read_native(text.encode())
    assert [each.field for each in refused.value.problems] == [field]
