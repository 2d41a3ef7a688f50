"""Whatever bytes come in: a definition that reads back as itself, or an error that says what is wrong."""

import json
from typing import Any

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.definition import read_definition, read_rest, rest_schema
from lineshaft.definition.json_text import read_json
from lineshaft.model.errors import InputTooLargeError, InvalidInputError
from rest_documents import JSON_VALUES, Document, rest_documents

VALIDATOR = jsonschema_rs.validator_for(rest_schema())

FRAGMENTS = st.sampled_from(
    (
        *'{}[]:,"\\ \n0-.eE',
        "null",
        "true",
        "NaN",
        "-Infinity",
        "1e999",
        "9" * 101,
        '"\\ud800"',
        '"\\u0000":',
        "\0",
        "\ufeff",
        '"name":',
        '"stages":[',
        '"type":"Run"',
    )
)
"""Pieces of JSON, and of what passes for it elsewhere, that are joined at random."""

ADDRESS_PARTS = st.sampled_from(
    (
        "https://",
        "ssh://",
        "file://",
        "ext::",
        "git@",
        "-",
        "/",
        ":",
        "@",
        "[",
        "]",
        "::1",
        "%00",
        "%2e",
        "..",
        "a.b",
    )
)

STRANGE_VALUES = st.one_of(JSON_VALUES, st.text(st.characters()), st.floats(), st.just(10**4000))
"""What cannot be kept, too: NUL, halves of surrogate pairs, NaN, and numbers without end."""


@st.composite
def altered_documents(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> Any:
    """Make documents that broke no rule until something was put, taken or renamed somewhere in them."""
    document = draw(rest_documents())
    for _ in range(draw(st.integers(1, 3))):
        alter(draw, document, values)
    return document


def alter(draw: st.DrawFn, document: Document, values: st.SearchStrategy[Any]) -> None:
    inner: Any = document
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if not (isinstance(inner[key], dict | list) and draw(st.booleans())):
            break
        inner = inner[key]
    match draw(st.sampled_from(("put", "take", "rename"))):
        case "rename" if isinstance(inner, dict):
            inner[draw(st.sampled_from(("name", "Type", "tag", "timeout", "x", "parallel")))] = inner.pop(key)
        case "take":
            del inner[key]
        case _:
            inner[key] = draw(values)


def refusal(data: bytes) -> InvalidInputError | None:
    """Return why a definition is refused; None when it is read."""
    try:
        read_rest(data)
    except InvalidInputError as error:
        return error
    return None


def check_that_it_can_be_told(error: InvalidInputError, data: bytes) -> None:
    """Check that an error can be sent and shown, and that its problems stand within the text."""
    lines = data.decode(errors="replace").split("\n")
    assert isinstance(error, InputTooLargeError) or error.problems
    for problem in error.problems:
        assert f"{problem.field} {problem.message} {error}".encode()
        assert problem.line is not None
        assert problem.column is not None
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.lists(FRAGMENTS, max_size=30).map(lambda some: "".join(some).encode()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    error = refusal(data)
    if error is not None:
        check_that_it_can_be_told(error, data)


@settings(max_examples=80, deadline=None)
@given(altered_documents(STRANGE_VALUES), st.booleans())
def test_any_altered_document_is_read_or_refused(document: Any, escaped: bool) -> None:
    text = json.dumps(document, ensure_ascii=escaped, indent=None if escaped else 1)
    data = text.encode(errors="surrogatepass")
    error = refusal(data)
    if error is not None:
        check_that_it_can_be_told(error, data)


@settings(max_examples=120, deadline=None)
@given(st.lists(ADDRESS_PARTS | st.text(max_size=3), max_size=8).map("".join))
def test_any_address_of_a_repository_is_read_or_refused(address: str) -> None:
    data = json.dumps({"name": "shop", "git_repository": address, "stages": []}).encode()
    error = refusal(data)
    if error is not None:
        check_that_it_can_be_told(error, data)
        assert {problem.field for problem in error.problems} == {"git_repository"}


@settings(max_examples=80, deadline=None)
@given(rest_documents())
def test_what_breaks_no_rule_is_read_and_its_text_says_the_same(document: Document) -> None:
    definition = read_rest(json.dumps(document).encode())
    shown = json.loads(definition.text)
    for stage, written in zip(shown["stages"], document["stages"], strict=True):
        assert {key: stage[key] for key in written if key != "cluster"} == {
            key: value for key, value in written.items() if key != "cluster"
        }
    assert definition.name == shown["name"] == document["name"]
    assert definition.repository == shown["git_repository"] == document.get("git_repository")
    assert shown["parallel"] == document.get("parallel", False)


@settings(max_examples=80, deadline=None)
@given(rest_documents())
def test_the_text_of_a_definition_is_a_definition_of_the_same_text(document: Document) -> None:
    definition = read_rest(json.dumps(document).encode())
    for again in (read_rest(definition.text.encode()), read_definition(definition.format, definition.text)):
        assert (again.text, again.hash) == (definition.text, definition.hash)
        assert (again.name, again.repository) == (definition.name, definition.repository)
        assert again.tree.places == definition.tree.places


@settings(max_examples=120, deadline=None)
@given(altered_documents(JSON_VALUES))
def test_reader_and_schema_agree(document: Any) -> None:
    data = json.dumps(document).encode()
    error = refusal(data)
    if error is None:
        assert VALIDATOR.is_valid(document)
    else:
        # What a schema cannot say is left out; its documentation names it.
        beyond = ("must be unique within the pipeline", "must be the address of a repository. ")
        told = [problem for problem in error.problems if not problem.message.startswith(beyond)]
        assert not told or read_json(data).findings or not VALIDATOR.is_valid(document)
