"""What texts of the pipeline language become."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.definition.findings import Findings
from lineshaft.definition.json_position import JsonPositions
from lineshaft.definition.native.reader import (
    Syntax,
    check_native_value,
    read_fragment_document,
    read_native_document,
    read_steps_document,
)
from lineshaft.definition.yaml_text import read_yaml
from lineshaft.model.errors import InputTooLargeError, InvalidDefinitionError
from native_documents import SHOP, pipeline, task

DOCS = Path(__file__).parents[3] / "docs"


def test_a_pipeline_with_much_of_the_language_is_read() -> None:
    document = read_native_document(SHOP).document
    lint, test, image, ship = document.steps
    assert (document.name, lint.name, lint.run) == ("shop", "lint", "ruff check .")
    assert document.on is not None
    assert document.on.push is not None
    assert document.on.push.branches == ["main", "release/*"]
    assert document.on.pull_request is not None
    assert document.defaults is not None
    assert document.defaults.timeout == timedelta(minutes=10)
    assert test.parallel
    assert test.steps is not None
    unit, api = test.steps
    assert unit.matrix is not None
    assert unit.matrix.axes == {"python": ["3.11", "3.12"]}
    assert api.condition == 'changed("api/**")'
    assert api.resources is not None
    assert (api.resources.cpus, api.resources.memory) == (2, 2 << 30)
    assert image.build is not None
    assert image.build.tag == "${{ commit.short }}"
    assert ship.teardown is not None
    assert ship.teardown.run == "./freeze off"


def test_the_examples_of_the_documentation_are_read() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (DOCS / "language.md").read_text(), re.DOTALL)
    names = [read_native_document(example).document.name for example in examples]
    assert names == ["shop", "conveyor", "release", "nightly", "shop", "shop", "checks"]


@pytest.mark.parametrize("syntax", [None, Syntax.JSON, Syntax.YAML])
def test_json_means_the_same_as_yaml(syntax: Syntax | None) -> None:
    value = read_yaml(SHOP).value
    text = json.dumps(value, indent=1)
    assert read_native_document(text, syntax).document == read_native_document(SHOP).document


def test_a_yaml_text_may_begin_like_json() -> None:
    assert read_native_document("{name: shop, steps: []}").document.name == "shop"


def test_json_is_held_to_be_json_when_it_is_said_to_be() -> None:
    with pytest.raises(InvalidDefinitionError, match="is not JSON"):
        read_native_document("{name: shop, steps: []}", Syntax.JSON)


def test_single_values_of_env_are_taken_as_they_are_written() -> None:
    text = "name: a\nsteps: []\nenv: {A: 3.10, B: true, C: 007, D: x, E: 1e3, F: 1}"
    assert read_native_document(text).document.env == {
        "A": "3.10",
        "B": "true",
        "C": "007",
        "D": "x",
        "E": "1e3",
        "F": "1",
    }


def test_values_of_with_keep_their_types() -> None:
    text = "name: a\nsteps: [{name: b, use: c.yml, with: {a: 1, b: true, c: x, d: 1.5}}]"
    [step] = read_native_document(text).document.steps
    assert step.with_inputs == {"a": 1, "b": True, "c": "x", "d": 1.5}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1h1m1s", 3661), (5, 5), (0.5, 0.5)],
)
def test_times_are_read(written: object, seconds: float) -> None:
    value = pipeline(task(timeout=written))
    [step] = read_native_document(json.dumps(value)).document.steps
    assert step.timeout == timedelta(seconds=seconds)


def test_a_time_below_a_microsecond_does_not_become_none_at_all() -> None:
    [step] = read_native_document(json.dumps(pipeline(task(timeout=1e-9)))).document.steps
    assert step.timeout == timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("written", "size"),
    [("2GiB", 2 << 30), ("512MiB", 512 << 20), ("1.5GB", 1_500_000_000), ("10 k", None), (9, 9)],
)
def test_memory_is_read(written: object, size: int | None) -> None:
    value = json.dumps(pipeline(task(resources={"memory": written})))
    if size is None:
        with pytest.raises(InvalidDefinitionError, match="must be a size"):
            read_native_document(value)
        return
    [step] = read_native_document(value).document.steps
    assert step.resources is not None
    assert step.resources.memory == size


def test_a_count_is_the_short_form_of_a_retry() -> None:
    [short, long] = read_native_document(
        json.dumps(pipeline(task("a", retry=2), task("b", retry={"count": 2})))
    ).document.steps
    assert short.retry == long.retry


def test_a_path_is_the_short_form_of_an_artifact_and_of_a_cache() -> None:
    text = json.dumps(pipeline(task(artifacts=["a", {"paths": ["a"]}], cache=["b", {"paths": ["b"]}])))
    [step] = read_native_document(text).document.steps
    assert step.artifacts is not None
    assert step.cache is not None
    assert step.artifacts[0] == step.artifacts[1]
    assert step.cache[0] == step.cache[1]


def test_needs_that_are_empty_differ_from_none_at_all() -> None:
    first, second = read_native_document(json.dumps(pipeline(task("a", needs=[]), task("b")))).document.steps
    assert first.needs == []
    assert second.needs is None


def test_a_fragment_is_read() -> None:
    fragment = read_fragment_document("inputs: {a: {default: 1}}\nparallel: true\nsteps: [{name: b, run: c}]")
    assert fragment.document.parallel
    assert fragment.document.inputs is not None


def test_a_fragment_has_no_keys_of_a_pipeline() -> None:
    with pytest.raises(InvalidDefinitionError, match="concurrency is unknown in a fragment"):
        read_fragment_document("steps: []\nconcurrency: {policy: allow}")


def test_generated_nodes_are_a_list_or_the_keys_of_a_group() -> None:
    listed = read_steps_document("- {name: a, run: b}").document
    grouped = read_steps_document("steps: [{name: a, run: b}]").document
    assert listed == grouped


def test_what_is_wrong_with_a_list_of_generated_nodes_has_its_place() -> None:
    with pytest.raises(InvalidDefinitionError) as caught:
        read_steps_document("- {name: a, run: b}\n- {name: b, run: 3}")
    [problem] = caught.value.problems
    assert (problem.field, problem.line, problem.column) == ("steps.1.run", 2, 18)


def test_values_that_another_reader_made_are_held_to_the_same_rules() -> None:
    findings = Findings(JsonPositions("{}"))
    assert check_native_value(pipeline(task()), findings).name == "shop"
    with pytest.raises(InvalidDefinitionError, match="says nothing to do"):
        check_native_value(pipeline({"name": "a"}), findings)


def test_the_places_of_a_read_text_are_known() -> None:
    assert read_native_document(SHOP).positions.find(("steps", 1, "steps", 0, "run")) == (20, 9)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("name: a\nsteps:\n" + "- {}\n" * 20_000, "at most 20,000 nodes"),
        ('{"name": "a", "steps": [' + "{}," * 20_000 + "{}]}", "at most 20,000 nodes"),
        ('{"name": "a", "labels": [' + "1," * 200_000 + "1]}", "at most 200,000 values"),
        ('{"a":' * 101 + "1" + "}" * 101, "at most 100 deep"),
        ('{"a":' * 100_000, "at most 100 deep"),
    ],
    ids=["nodes", "nodes in JSON", "values", "depth", "depth that never ends"],
)
def test_what_goes_over_a_limit_is_refused_with_the_limit_named(text: str, limit: str) -> None:
    with pytest.raises(InputTooLargeError, match=limit):
        read_native_document(text)
