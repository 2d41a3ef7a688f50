"""Files of an orchestrator's pipelines, read entry by entry."""

import json
from typing import Any

import pytest

from lineshaft.definition.pipeline_entries import PipelineEntry, RefusedEntry, read_pipeline_entries
from lineshaft.model.errors import InputTooLargeError, InvalidDefinitionError
from lineshaft.model.node import Task
from lineshaft.model.notification import Email, Notification
from lineshaft.model.state import State
from lineshaft.model.work import BuilderWork

ENTRY: dict[str, Any] = {"repository": "https://git.example/shop.git", "exec": ["python3", "build.py"]}


def read(value: Any) -> dict[str, PipelineEntry | RefusedEntry]:
    data = value if isinstance(value, str) else json.dumps(value)
    return {entry.name: entry for entry in read_pipeline_entries(data.encode())}


def good(value: Any, name: str = "shop") -> PipelineEntry:
    entry = read(value)[name]
    assert isinstance(entry, PipelineEntry)
    return entry


def fields(entry: PipelineEntry | RefusedEntry) -> set[str]:
    assert isinstance(entry, RefusedEntry)
    return {problem.field for problem in entry.problems}


def test_an_entry_says_what_to_do_and_beside_it_what_starts_it() -> None:
    entry = good(
        {"shop": {**ENTRY, "ref": "main", "cwd": "./ci", "worker-tags": ["linux"], "tag-pattern": "^v"}}
    )

    assert (entry.ref, entry.tag_pattern) == ("main", "^v")
    assert (entry.definition.name, entry.definition.repository) == ("shop", ENTRY["repository"])
    [place] = entry.definition.tree.below_root()
    assert isinstance(place.node, Task)
    assert isinstance(place.node.work, BuilderWork)
    assert place.node.condition is None
    assert "on" not in json.loads(entry.definition.text)


def test_the_documents_own_example_tells_people() -> None:
    email = {"to": "webmaster@localhost", "subject": "Build $PIPELINE_NAME failed", "body": "<b>$TRACEID</b>"}
    entry = good({"shop": {**ENTRY, "notifications": {"onFailure": {"email": email}}}})

    assert entry.definition.notifications == (
        Notification(
            (State.FAILED, State.TIMED_OUT, State.LOST),
            Email(
                ("webmaster@localhost",),
                subject="Build ${{ pipeline.name }} failed",
                body="<b>${{ run.trace }}</b>",
                html=True,
            ),
        ),
    )


def test_a_bad_entry_does_not_spoil_the_others() -> None:
    entries = read(
        {"a": ENTRY, "b": {**ENTRY, "cwd": "../x"}, "c": 7, "d": {**ENTRY, "exec": []}, "e": ENTRY}
    )

    assert list(entries) == ["a", "b", "c", "d", "e"]
    assert [name for name, entry in entries.items() if isinstance(entry, PipelineEntry)] == ["a", "e"]
    assert fields(entries["b"]) == {"b.cwd"}
    assert fields(entries["c"]) == {"c"}
    assert fields(entries["d"]) == {"d.exec"}


def test_a_name_that_is_given_twice_is_refused_and_so_is_a_key() -> None:
    entry = json.dumps(ENTRY)
    entries = read(
        f'{{"a": {entry}, "a": {entry}, "b": {{"ref": "x", "ref": "y", {entry[1:]}, "c": {entry}}}'
    )

    assert fields(entries["a"]) == {"a"}
    assert fields(entries["b"]) == {"b.ref"}
    assert isinstance(entries["c"], PipelineEntry)


def test_a_name_that_only_looks_different_is_refused() -> None:
    entries = read({"a/b": ENTRY, "a_b": ENTRY})

    assert isinstance(entries["a/b"], PipelineEntry)
    assert entries["a/b"].definition.name == "a_b"
    assert fields(entries["a_b"]) == {"a_b"}


def test_what_is_wrong_is_told_with_its_place() -> None:
    text = '{\n  "a": {\n    "repository": "https://git.example/a.git",\n    "exec": 5\n  }\n}'
    entry = read(text)["a"]

    assert isinstance(entry, RefusedEntry)
    [problem] = entry.problems
    assert (problem.line, problem.column) == (4, 13)


@pytest.mark.parametrize("text", ["[]", "7", '"text"', "{", ""])
def test_what_is_no_such_file_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(InvalidDefinitionError):
        read(text)


def test_a_file_of_very_many_pipelines_is_refused() -> None:
    with pytest.raises(InvalidDefinitionError, match="1,001 pipelines"):
        read({str(number): {} for number in range(1_001)})


def test_a_file_that_is_too_long_is_refused() -> None:
    with pytest.raises(InputTooLargeError):
        read({"a": {**ENTRY, "x-more": "x" * (1 << 20)}})


def test_an_empty_file_has_no_entries() -> None:
    assert read("{}") == {}
