"""Files of pipelines in any language, read into definitions."""

import json

import pytest

from lineshaft.definition import read_rest
from lineshaft.definition.dialect import Dialect
from lineshaft.definition.pipeline_file import read_pipeline_file
from lineshaft.model.definition import Format
from lineshaft.model.errors import InvalidDefinitionError
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.work import BuilderWork, RunWork
from rest_documents import build_stage, pipeline, run_stage

CICD = b"""\
name: shop
jobs:
  unit: {stage: test, script: make unit}
  style: {stage: test, script: make style}
"""


def test_a_file_of_another_system_becomes_a_native_definition() -> None:
    file = read_pipeline_file(CICD, ".cicd-pipelines/pipeline.yml")
    (definition,) = file.definitions
    assert (file.dialect, definition.format, definition.name) == (Dialect.CICD, Format.NATIVE, "shop")
    stage = definition.tree[1].node
    assert isinstance(stage, Group)
    assert (stage.name, stage.order, stage.fail_fast) == ("test", Order.PARALLEL, True)


def test_overrides_name_values_of_the_file_as_it_is_written() -> None:
    overrides = [("jobs.unit.script", "make fast"), ("stages", "[lint, test]"), ("jobs.style.stage", "lint")]
    (definition,) = read_pipeline_file(CICD, overrides=overrides).definitions
    assert [place.path for place in definition.tree.below_root()] == [
        *("lint", "lint/style"),
        *("test", "test/unit"),
    ]
    place = definition.tree.find("test/unit")
    assert place is not None
    assert isinstance(place.node, Task)
    assert place.node.work == RunWork("make fast")


def test_an_override_that_breaks_a_rule_is_refused_in_the_file_s_own_words() -> None:
    with pytest.raises(InvalidDefinitionError) as raised:
        read_pipeline_file(CICD, overrides=[("jobs.unit.stage", "later")])
    assert [problem.field for problem in raised.value.problems] == ["jobs.unit.stage"]


def test_a_document_of_the_rest_api_stays_one() -> None:
    data = json.dumps(pipeline(build_stage(), run_stage(name="unit"))).encode()
    (definition,) = read_pipeline_file(data, "pipeline.json").definitions
    assert definition.hash == read_rest(data).hash
    (changed,) = read_pipeline_file(data, overrides=[("stages.1.command", "make")]).definitions
    place = changed.tree.find("unit")
    assert place is not None
    assert isinstance(place.node, Task)
    assert place.node.work == RunWork("make")


def test_a_document_of_the_rest_api_may_be_yaml() -> None:
    text = b"name: shop\nstages:\n  - {name: unit, type: Run, command: make}\n"
    (definition,) = read_pipeline_file(text).definitions
    assert definition.format is Format.REST
    with pytest.raises(InvalidDefinitionError) as raised:
        read_pipeline_file(text.replace(b"Run", b"Runs"))
    (problem,) = raised.value.problems
    assert (problem.field, problem.line) == ("stages.0.type", 3)


def test_an_override_that_leads_nowhere_is_refused() -> None:
    data = json.dumps(pipeline(run_stage())).encode()
    with pytest.raises(InvalidDefinitionError):
        read_pipeline_file(data, overrides=[("stages.7.command", "make")])


def test_each_entry_of_an_orchestrator_is_a_definition() -> None:
    entry = {"repository": "https://git.example/shop.git", "exec": ["./build"], "poll": "1h"}
    file = read_pipeline_file(json.dumps({"a": entry, "b": entry}).encode())
    assert [definition.name for definition in file.definitions] == ["a", "b"]
    assert [note.field for note in file.notes] == ["a.poll", "b.poll"]
    node = file.definitions[0].tree[1].node
    assert isinstance(node, Task)
    assert node.work == BuilderWork(("./build",))


def test_a_native_file_is_read_as_it_is() -> None:
    file = read_pipeline_file(b"name: shop\nsteps:\n  - name: unit\n    run: make\n", "lineshaft.yml")
    assert file.dialect is Dialect.NATIVE
    assert [place.path for place in file.definitions[0].tree.below_root()] == ["unit"]


def test_the_language_can_be_told() -> None:
    data = b"name: shop\nsteps:\n  - {name: unit, exec: [make, $LEVEL]}\n"
    native, tree = (
        read_pipeline_file(data, dialect=dialect).definitions[0] for dialect in (None, Dialect.NODE)
    )
    assert native.hash != tree.hash
