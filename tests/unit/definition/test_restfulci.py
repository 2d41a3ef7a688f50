"""A job's `restfulci.yml`: read as it stands."""

from typing import Any

import pytest

from foreign_documents import Value, messages, native, notes, problems
from lineshaft.definition.convert import read_foreign
from lineshaft.definition.dialect import Dialect


def job(**more: Any) -> Value:
    return {"version": 1.0, "executor": {"image": "busybox:1.36"}, "command": ["sh", "run.sh"], **more}


def read(**more: Any) -> Value:
    return native(job(**more), Dialect.RESTFULCI)


def wrong(**more: Any) -> dict[str, str]:
    return messages(job(**more), Dialect.RESTFULCI)


def test_a_job_is_a_pipeline_of_one_task() -> None:
    assert read() == {
        "name": "restfulci",
        "steps": [{"name": "command", "image": "busybox:1.36", "exec": ["sh", "run.sh"]}],
    }


def test_the_pipeline_is_named_by_the_folder_of_the_file() -> None:
    text = b"executor: {image: busybox}\ncommand: [make]\n"
    assert read_foreign(text, "shop/restfulci.yml").documents[0]["name"] == "shop"
    assert read_foreign(text, "restfulci.yml").documents[0]["name"] == "restfulci"


def test_the_environment_can_be_overridden_by_inputs() -> None:
    document = read(executor={"image": "busybox", "environment": {"GREETING": "Hello", "in": "x"}})
    assert document["inputs"] == {
        "GREETING": {"type": "string", "default": "Hello"},
        "in": {"type": "string", "default": "x"},
    }
    assert document["steps"][0]["env"] == {
        "GREETING": "${{ inputs.GREETING }}",
        "in": '${{ inputs["in"] }}',
    }


def test_values_of_the_environment_are_the_text_that_was_written() -> None:
    text = b"executor: {image: x, environment: {A: 3.10, B: 007, C: true, D: '', E: 1e3}}\ncommand: [make]\n"
    (document,) = read_foreign(text, dialect=Dialect.RESTFULCI).documents
    assert [value["default"] for value in document["inputs"].values()] == ["3.10", "007", "true", "", "1e3"]


@pytest.mark.parametrize(
    "environment",
    [
        {"A": None},
        {"A-B": "x"},
        {"LINESHAFT_X": "x"},
        {"PATH": "/x"},
        {"LD_PRELOAD": "x"},
        {"A": []},
        [],
        "A=b",
    ],
)
def test_any_other_environment_is_refused(environment: Any) -> None:
    assert "executor.environment" in wrong(executor={"image": "busybox", "environment": environment})


def test_sidecars_become_services() -> None:
    sidecars = [
        {"name": "db", "image": "postgres:16", "environment": {"POSTGRES_PORT": 5432}},
        {"name": "echo", "image": "busybox", "command": ["nc", "-l"]},
    ]
    assert read(sidecars=sidecars)["steps"][0]["services"] == {
        "db": {"image": "postgres:16", "env": {"POSTGRES_PORT": "5432"}},
        "echo": {"image": "busybox", "command": ["nc", "-l"]},
    }


def test_sidecars_have_names_of_their_own() -> None:
    sidecars = [{"name": "db", "image": "a"}, {"name": "db", "image": "b"}]
    assert wrong(sidecars=sidecars) == {
        "sidecars.1.name": 'must be unique; sidecars.0 is called "db" already'
    }


def test_results_are_carried_over() -> None:
    results = [{"type": "junit", "path": "target/reports"}]
    assert read(results=results)["steps"][0]["results"] == results


def test_arguments_are_taken_as_they_are() -> None:
    assert read(command=["sh", "-c", "echo $A ${{ x }}"])["steps"][0]["exec"] == [
        "sh",
        "-c",
        "echo $A $${{ x }}",
    ]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ({}, {"context": ".", "dockerfile": "Dockerfile"}),
        ({"context": ".", "dockerfile": "./Dockerfile"}, {"context": ".", "dockerfile": "Dockerfile"}),
        ({"context": "./ci/"}, {"context": "ci", "dockerfile": "ci/Dockerfile"}),
        ({"context": "ci", "dockerfile": "${{x"}, {"context": "ci", "dockerfile": "ci/$${{x"}),
    ],
)
def test_an_image_is_built_from_the_dockerfile_below_the_context(build: Value, expected: Value) -> None:
    assert read(executor={"build": build})["steps"][0]["image"] == {"build": expected}


def test_an_image_is_built_of_the_repository_alone() -> None:
    outside = "must be a path that does not lead out of the repository"
    assert wrong(executor={"build": {"context": ".."}}) == {
        "executor.build.context": outside,
        "executor.build.dockerfile": outside,
    }
    assert wrong(executor={"build": {"dockerfile": "/Dockerfile"}}) == {"executor.build.dockerfile": outside}


def test_where_an_image_is_named_too_it_is_used_and_that_is_noted() -> None:
    value = job(executor={"image": "shop:1", "build": {}})
    assert native(value, Dialect.RESTFULCI)["steps"][0]["image"] == "shop:1"
    assert notes(value, Dialect.RESTFULCI) == {"executor.build": 'is left out; the command runs in "shop:1"'}


def test_an_executor_names_an_image() -> None:
    assert wrong(executor={}) == {"executor": "must name an image, or say how to build one"}


@pytest.mark.parametrize("version", [2, "2.0", True, None, []])
def test_another_version_is_refused(version: Any) -> None:
    assert wrong(version=version)["version"].startswith("must be 1.0")


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    text = """\
version: 1.0
executor:
  imagee: busybox
  environment: {A: [1]}
sidecars:
  - name: my db
command: make
results:
  - {typ: junit, path: 5}
"""
    found = [(problem.line, problem.column, problem.field) for problem in problems(text, Dialect.RESTFULCI)]
    assert found == [
        (3, 3, "executor.imagee"),
        (4, 16, "executor.environment"),
        (6, 5, "sidecars.0.image"),
        (6, 11, "sidecars.0.name"),
        (7, 10, "command"),
        (9, 5, "results.0.type"),
        (9, 6, "results.0.typ"),
        (9, 24, "results.0.path"),
    ]
