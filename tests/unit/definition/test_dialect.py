"""In which language a file is written: told by its name, else by its shape."""

from typing import Any

import pytest

from lineshaft.definition.dialect import Dialect, detect

STEP = {"name": "a", "exec": ["true"]}


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (".cicd-pipelines/pipeline.yml", Dialect.CICD),
        ("/shop/.cicd-pipelines/release.yaml", Dialect.CICD),
        (".cicd-pipelines/notes.txt", Dialect.NATIVE),
        ("restfulci.yml", Dialect.RESTFULCI),
        ("ci/restfulci.yaml", Dialect.RESTFULCI),
        ("lineshaft.yml", Dialect.NATIVE),
        ("", Dialect.NATIVE),
    ],
)
def test_a_file_s_name_tells_its_language(path: str, dialect: Dialect) -> None:
    assert detect(path, {"name": "shop"}) is dialect


@pytest.mark.parametrize(
    ("value", "dialect"),
    [
        ({"name": "x", "jobs": {}}, Dialect.CICD),
        ({"name": "x", "stages": ["build"]}, Dialect.CICD),
        ({"name": "x", "stages": [{"name": "a", "type": "Run"}]}, Dialect.REST),
        ({"name": "x", "stages": []}, Dialect.REST),
        ({"executor": {"image": "x"}, "command": ["y"]}, Dialect.RESTFULCI),
        ({"name": "x", "exec": ["y"]}, Dialect.NODE),
        ({"name": "x", "order": "unordered", "steps": [STEP]}, Dialect.NODE),
        ({"name": "x", "steps": [{"name": "a", "exec": "make all"}]}, Dialect.NODE),
        ({"name": "x", "steps": [{"name": "a", "steps": [{**STEP, "timeout": "10"}]}]}, Dialect.NODE),
        ({"name": "x", "steps": [STEP], "setup": {**STEP, "if-changeset-matches": "y"}}, Dialect.NODE),
        ({"a": {"repository": "https://x.example/y.git", "exec": ["z"]}}, Dialect.NODE),
    ],
)
def test_where_the_name_does_not_tell_the_shape_does(value: Any, dialect: Dialect) -> None:
    assert detect("pipeline.json", value) is dialect


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {},
        {"name": "x", "steps": [STEP]},
        {"name": "x", "steps": [{"name": "a", "run": "true", "timeout": "10"}]},
        {"name": "x", "order": "unordered", "steps": [{"name": "a", "run": "true"}]},
        {"name": "x", "steps": "y"},
    ],
)
def test_what_fits_several_languages_or_none_is_native(value: Any) -> None:
    assert detect("pipeline.json", value) is Dialect.NATIVE


def test_a_tree_that_repeats_itself_by_aliases_is_gone_through_once() -> None:
    node: dict[str, Any] = STEP
    for _ in range(40):
        node = {"name": "x", "steps": [node, node]}
    assert detect("", node) is Dialect.NATIVE
