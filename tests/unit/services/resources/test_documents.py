"""JSON that others send: merging, names and metadata."""

from typing import Any

import pytest

from lineshaft.model.errors import InvalidInputError
from lineshaft.services.resources.documents import check_metadata, check_name, check_type, merged, pointer


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_examples_of_rfc_7396_say(document: Any, patch: Any, result: Any) -> None:
    assert merged(document, patch) == result


def test_merging_changes_neither_of_both() -> None:
    document, patch = {"a": {"b": 1}}, {"a": {"c": {"d": 2}}}

    assert merged(document, patch) == {"a": {"b": 1, "c": {"d": 2}}}

    assert (document, patch) == ({"a": {"b": 1}}, {"a": {"c": {"d": 2}}})


def test_a_place_is_written_as_a_json_pointer() -> None:
    assert pointer(()) == ""
    assert pointer(("a/b", "m~n", 0, "")) == "/a~1b/m~0n/0/"


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "ä", "a" * 300, "a\n"])
def test_names_are_plain_words(name: str) -> None:
    for check in (check_type, check_name):
        with pytest.raises(InvalidInputError):
            check(name)


def test_names_may_have_dots_dashes_and_underscores() -> None:
    for check in (check_type, check_name):
        check("Shop-1.example_test")


@pytest.mark.parametrize(
    "metadata", [{"": "a"}, {'a"b': "c"}, {"a": "x" * 1_001}, {"a": "\0"}, {f"a{n}": "" for n in range(101)}]
)
def test_metadata_is_short_texts_under_plain_names(metadata: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        check_metadata(metadata)
    check_metadata({"team": "blue", "example.test/owner": ""})
