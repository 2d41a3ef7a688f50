"""The examples of other systems' formats: read as they stand, and the same tree when they were converted."""

import json
from pathlib import Path

import pytest

from lineshaft.definition import read_rest
from lineshaft.definition.compiling.read import read_native
from lineshaft.definition.convert import convert, read_foreign
from lineshaft.definition.dialect import Dialect
from rest_documents import pipeline, run_stage

EXAMPLES = Path(__file__).parents[3] / "examples"
PATHS = {
    "builder/tree.json": ["check", "check/syntax", "check/docs", "greet", "teardown"],
    "cicd/.cicd-pipelines/nightly.yml": ["test", "test/long-tests"],
    "cicd/.cicd-pipelines/pipeline.yml": [
        *(
            "build",
            "build/compile",
            "test",
            "test/unit",
            "test/style",
            "test/report",
            "deploy",
            "deploy/ship",
        ),
    ],
    "node/pipeline.json": ["setup", "build", "test", "test/unit", "test/docs", "publish", "teardown"],
    "orchestrator/pipelines.json": ["build"],
    "rest/pipeline.json": ["unit", "style"],
    "restfulci/restfulci.yml": ["command"],
    "restfulci/dockerfile/restfulci.yml": ["command"],
    "restfulci/sidecar/restfulci.yml": ["command"],
}


@pytest.mark.parametrize(("name", "paths"), PATHS.items())
def test_an_example_becomes_a_tree_of_these_nodes(name: str, paths: list[str]) -> None:
    file = EXAMPLES / name
    for text in convert(file.read_bytes(), str(file)).texts:
        tree = read_native(text.encode()).tree
        assert [place.path for place in tree.below_root()] == paths


@pytest.mark.parametrize("name", PATHS)
def test_an_example_s_converted_text_is_the_same_definition(name: str) -> None:
    file = EXAMPLES / name
    documents = read_foreign(file.read_bytes(), str(file)).documents
    for text, document in zip(convert(file.read_bytes(), str(file)).texts, documents, strict=True):
        assert read_native(text.encode()).hash == read_native(json.dumps(document).encode()).hash


def test_the_example_with_containers_is_a_tree_of_these_nodes() -> None:
    text = (EXAMPLES / "containers" / "lineshaft.yml").read_bytes()
    assert [place.path for place in read_native(text).tree.below_root()] == ["make", "test", "image"]


def test_every_dialect_has_an_example() -> None:
    found = {convert((EXAMPLES / name).read_bytes(), name).dialect for name in PATHS}
    assert found == set(Dialect) - {Dialect.NATIVE}


def test_stages_of_the_rest_api_run_the_same_when_they_were_converted() -> None:
    stages = [run_stage(name="unit", timeout=0.5), run_stage(name="style", command="echo a\necho b\n")]
    data = json.dumps(pipeline(*stages, parallel=True)).encode()
    before, after = read_rest(data), read_native(convert(data).texts[0].encode())
    assert after.tree.places == before.tree.places
    assert (after.name, after.repository, after.concurrency) == (
        before.name,
        before.repository,
        before.concurrency,
    )


def test_the_programs_that_examples_call_can_be_called() -> None:
    programs = ["cicd/step", "node/step", "node/app/build.sh", "orchestrator/ci/build.sh"]
    assert all((EXAMPLES / program).stat().st_mode & 0o111 == 0o111 for program in programs)
