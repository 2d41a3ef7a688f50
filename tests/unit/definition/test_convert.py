"""Files of any language written as native YAML."""

import json
from typing import Any

import pytest

from lineshaft.definition.convert import convert, read_foreign
from lineshaft.definition.dialect import Dialect
from lineshaft.definition.yaml_text import read_yaml
from lineshaft.definition.yaml_writing import write_yaml
from lineshaft.model.errors import InvalidDefinitionError
from rest_documents import build_stage, deploy_stage, pipeline, run_stage


def read_back(text: str) -> Any:
    return read_yaml(text.encode()).value


CICD = b"""\
name: shop
stages: [build, test]
jobs:
  compile:
    stage: build
    script:
      - cc -o "out file" main.c && ./run
      - ./run
  unit:
    stage: test
    needs: [compile]
    script: make test
"""


def test_a_file_is_written_for_people_with_what_was_left_out_at_its_top() -> None:
    conversion = convert(CICD, ".cicd-pipelines/pipeline.yml")
    assert conversion.dialect is Dialect.CICD
    assert conversion.texts == (
        """\
# jobs.unit.needs.0 is left out: the stage of "compile" has ended before this one begins
name: shop
steps:
  - name: build
    steps:
      - name: compile
        run: |
          set -e
          cc -o "out file" main.c && ./run
          ./run
  - name: test
    steps:
      - name: unit
        run: make test
""",
    )
    (note,) = conversion.notes
    assert (note.line, note.column) == (11, 13)


def test_what_is_written_says_what_was_read() -> None:
    conversion = convert(CICD, ".cicd-pipelines/pipeline.yml")
    assert read_back(conversion.texts[0]) == read_foreign(CICD).documents[0]


def test_of_very_many_notes_the_first_are_told_and_how_many_more_there_are() -> None:
    steps = [{"name": "same", "exec": ["true"]}] * 150
    conversion = convert(json.dumps({"name": "shop", "steps": steps, "order": "ordered"}).encode())
    assert len(conversion.notes) == 101
    assert conversion.notes[-1].message == "has 49 more notes, which are not listed"
    assert conversion.texts[0].splitlines()[100] == "# has 49 more notes, which are not listed"


def test_each_pipeline_of_a_file_is_written() -> None:
    entry = {"repository": "https://git.example/shop.git", "exec": ["./build"]}
    conversion = convert(json.dumps({"a": entry, "b": entry}).encode())
    assert [read_back(text)["name"] for text in conversion.texts] == ["a", "b"]


def test_a_native_file_is_written_as_it_says() -> None:
    value = {"name": "shop", "on": {"push": {}}, "steps": [{"name": "a", "run": "true", "env": {"A": "1"}}]}
    conversion = convert(json.dumps(value).encode(), "lineshaft.json")
    assert conversion.dialect is Dialect.NATIVE
    assert read_back(conversion.texts[0]) == value
    assert conversion.texts[0].startswith("name: shop\non:\n  push: {}\nsteps:\n")


def test_stages_of_the_rest_api_become_steps() -> None:
    value = pipeline(
        run_stage(name="one", command="make", timeout=5),
        git_repository="https://git.example/shop.git",
        parallel=True,
    )
    (document,) = read_foreign(json.dumps(value).encode()).documents
    assert document == {
        "name": value["name"],
        "repository": "https://git.example/shop.git",
        "concurrency": {"policy": "supersede"},
        "parallel": True,
        "steps": [{"name": "one", "timeout": 5, "run": "make"}],
    }


def test_dockerfiles_and_manifests_of_the_rest_api_become_files_that_are_handed_out() -> None:
    stages = [build_stage(name="The image"), build_stage(name="the-image"), deploy_stage(name="Ship")]
    conversion = convert(json.dumps(pipeline(*stages)).encode())
    image, other, ship = read_back(conversion.texts[0])["steps"]
    assert image["build"]["dockerfile"] == "lineshaft/the-image/Dockerfile"
    assert image["build"]["context"] == "lineshaft/the-image"
    assert other["build"]["dockerfile"] == "lineshaft/the-image-2/Dockerfile"
    assert ship["deploy"]["manifests"] == "lineshaft/ship/manifest.json"
    assert ship["deploy"]["namespace"] == stages[2]["cluster"].get("namespace", "default")
    assert conversion.files[image["build"]["dockerfile"]] == stages[0]["dockerfile"]
    assert json.loads(conversion.files[ship["deploy"]["manifests"]]) == stages[2]["k8s_manifest"]
    assert [note.field for note in conversion.notes] == [
        "stages.0.dockerfile",
        "stages.1.dockerfile",
        "stages.2.k8s_manifest",
    ]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"- a", "lineshaft.yml"),
        (b"{a: b", ""),
        (b"a: b", "x.json"),
        (b"\xff", ""),
        (b"steps:\n\t- a", ""),
        (b'{"name": "x", "name": "y"}', ""),
        (b"name: x\nname: y\n", ""),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, path: str) -> None:
    with pytest.raises(InvalidDefinitionError) as raised:
        convert(data, path)
    assert raised.value.problems


def test_yaml_may_begin_with_a_brace() -> None:
    assert read_foreign(b"{name: x, jobs: {a: {stage: test, script: y}}}").documents[0]["name"] == "x"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}\n"),
        ({"a": None, "b": True, "c": 1.5, "d": []}, "a: null\nb: true\nc: 1.5\nd: []\n"),
        ({"a": [[1, 2], [{}]]}, "a:\n  - - 1\n    - 2\n  - - {}\n"),
        ({"a": "x: y"}, 'a: "x: y"\n'),
        ({"a": "x #y"}, 'a: "x #y"\n'),
        ({"a": "yes"}, 'a: "yes"\n'),
        ({"a": "12"}, 'a: "12"\n'),
        ({"a": "-1"}, 'a: "-1"\n'),
        ({"a": "- b"}, 'a: "- b"\n'),
        ({"a": ""}, 'a: ""\n'),
        ({"a": "-x ./y $Z"}, "a: -x ./y $Z\n"),
        ({"a": "\u2028\U0001f600\x7f"}, 'a: "\\u2028\U0001f600\\u007f"\n'),
        ({"1": "b", "true": "c", "a b": "d"}, '"1": b\n"true": c\n"a b": d\n'),
        ({"a": "x\ny"}, "a: |-\n  x\n  y\n"),
        ({"a": "x\n\n\ny\n\n\n"}, "a: |+\n  x\n\n\n  y\n\n\n"),
        ({"a": "  x\ny\n"}, "a: |2\n    x\n  y\n"),
        ({"a": "\n\n"}, 'a: "\\n\\n"\n'),
        ({"a": "x\r\ny"}, 'a: "x\\r\\ny"\n'),
    ],
)
def test_values_are_written_plainly_and_read_back_as_they_were(value: dict[str, Any], text: str) -> None:
    assert write_yaml(value) == text
    assert read_back(text) == value
