import json
from pathlib import Path
from typing import Any

import pytest

from lineshaft.model.errors import InvalidInputError
from lineshaft.sdk.builder import Node, load


def written(folder: Path, document: object) -> Path:
    path = folder / "tree.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_every_key_of_the_format_is_read(tmp_path: Path) -> None:
    document = {
        "name": "all",
        "order": "unordered",
        "if-changeset-matches": "^src/",
        "setup": {"name": "prepare", "exec": "true"},
        "teardown": {"exec": ["true", "x"]},
        "timeout": "10",
        "cwd": "sub",
        "steps": [{"name": "one", "exec": "echo", "timeout": 2.5}],
    }
    assert load(written(tmp_path, document)) == Node(
        "all",
        order="unordered",
        if_changeset_matches="^src/",
        setup=Node("prepare", exec="true"),
        teardown=Node("teardown", exec=("true", "x")),
        timeout=10,
        cwd="sub",
        steps=(Node("one", exec="echo", timeout=2.5),),
    )


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ([], "a node is an object"),
        ({"name": "a", "exec": "x", "excc": 1}, "no key 'excc'"),
        ({"exec": "x"}, "needs a name"),
        ({"name": 1, "exec": "x"}, "`name` is text"),
        ({"name": "a", "exec": 5}, "`exec` is text"),
        ({"name": "a", "steps": {}}, "`steps` is a list"),
        ({"name": "a", "exec": "x", "timeout": "soon"}, "`timeout` is a number"),
        ({"name": "a", "exec": "x", "timeout": True}, "`timeout` is a number"),
        ({"name": "a", "exec": "x", "timeout": -1}, "`timeout` above 0"),
        ({"name": "a", "exec": "x", "order": ["ordered"]}, "`order`"),
        ({"name": "a", "exec": "x", "order": "any"}, "`order`"),
        ({"name": "a", "exec": "x", "setup": "x"}, "setup: a node is an object"),
        ({"name": "a", "steps": [{"name": "b"}]}, r"steps\.0: The node 'b' needs one of"),
        ({"name": "a", "exec": "x", "if-changeset-matches": "("}, "regular expression"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(tmp_path: Path, document: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        load(written(tmp_path, document))


def test_nodes_nested_too_deep_are_refused(tmp_path: Path) -> None:
    document: dict[str, Any] = {"name": "leaf", "exec": "true"}
    for _ in range(100):
        document = {"name": "group", "steps": [document]}
    with pytest.raises(InvalidInputError, match="more than 100 deep"):
        load(written(tmp_path, document))


def test_a_file_that_is_not_there_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="No such file"):
        load(tmp_path / "missing.json")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="larger than"):
        load(written(tmp_path, " " * (1024 * 1024 + 1)))
