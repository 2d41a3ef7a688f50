"""Whatever is written in the pipeline language: a document, or an error that says what is wrong and where."""

import json
from copy import deepcopy
from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.definition.native.document import HookDocument, PipelineDocument, StepDocument
from lineshaft.definition.native.place import known_keys
from lineshaft.definition.native.reader import (
    Syntax,
    read_fragment_document,
    read_native_document,
    read_steps_document,
)
from lineshaft.definition.native.schema import native_schema
from lineshaft.model.errors import InvalidInputError, Problem
from native_documents import SHOP, Document, native_documents
from rest_documents import JSON_VALUES

VALIDATOR = jsonschema_rs.validator_for(native_schema())

KEYS = st.sampled_from(
    sorted({*known_keys(PipelineDocument), *known_keys(StepDocument), "a", "a b", "count", "policy", "tag"})
)
VALUES = JSON_VALUES | st.sampled_from(
    ("${{ a }}", "../a", "a/b", "10m", "0s", "1GiB", "* * * * *", "LINESHAFT_A", "supersede", "lost", [], {})
)

UNHURRIED = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
"""A machine that does much else at the same time is no reason to fail."""

READERS = st.sampled_from((read_native_document, read_fragment_document, read_steps_document))
PIECES = st.sampled_from(("", "\t", "\n", ": ", "- ", "*a", "&a ", "<<: ", "'", "[", "}", "!x ", "|"))

BEYOND_THE_SCHEMA = (
    "must be unique within its group",
    "is the name of the ",
    "is not the name of a sibling",
    "makes a circle",
    "is not an axis of the matrix",
    "must be one of the choices",
    "must be text, which is the input's type",
    "must be a number, which is the input's type",
    "must be true or false, which is the input's type",
    "must be a time such as",
    "must be a size such as",
    "must be a label, and as it is written ",
)
"""What a schema cannot say, or not in full: how long a time is that is written in hours, say."""


@st.composite
def altered_documents(draw: st.DrawFn) -> Any:
    """Make documents that broke no rule until something was put, taken or renamed somewhere in them."""
    document = deepcopy(draw(native_documents()))  # It holds values that strategies share.
    for _ in range(draw(st.integers(1, 3))):
        alter(draw, document)
    return document


def alter(draw: st.DrawFn, document: Document) -> None:
    inner: Any = document
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if not (isinstance(inner[key], dict | list) and draw(st.integers(0, 2))):
            break
        inner = inner[key]
    match draw(st.sampled_from(("put", "take", "rename", "add"))):
        case "rename" if isinstance(inner, dict):
            inner[draw(KEYS)] = inner.pop(key)
        case "add" if isinstance(inner, dict):
            inner[draw(KEYS)] = deepcopy(draw(VALUES))
        case "take":
            del inner[key]
        case _:
            inner[key] = deepcopy(draw(VALUES))


def refusal(text: str, read: Any = read_native_document) -> InvalidInputError | None:
    """Return why a text is refused; None when it is read."""
    try:
        read(text)
    except InvalidInputError as error:
        return error
    return None


def check_that_it_can_be_told(error: InvalidInputError, text: str) -> None:
    """Check that an error can be sent and shown, and that its problems stand within the text."""
    lines = text.removeprefix("\ufeff").split("\n")
    for problem in error.problems:
        assert f"{problem.field} {problem.message} {problem.advice} {error}".encode()
        if problem.line is not None and problem.column is not None:
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
            assert problem.length is None or problem.length >= 1


def within_the_schema(problems: tuple[Problem, ...]) -> list[Problem]:
    return [problem for problem in problems if not problem.message.startswith(BEYOND_THE_SCHEMA)]


@settings(UNHURRIED, max_examples=60)
@given(native_documents())
def test_what_breaks_no_rule_is_read_and_fits_the_schema(document: Document) -> None:
    text = json.dumps(document)
    beyond = refusal(text)
    assert beyond is None or within_the_schema(beyond.problems) == []
    assert [error.message for error in VALIDATOR.iter_errors(json.loads(text))] == []


@settings(UNHURRIED, max_examples=120)
@given(altered_documents())
def test_reader_and_schema_agree(document: Any) -> None:
    text = json.dumps(document)
    error = refusal(text, lambda given: read_native_document(given, Syntax.JSON))
    fits = VALIDATOR.is_valid(json.loads(text))
    if error is None:
        assert fits
    elif within_the_schema(error.problems):
        assert not fits


@settings(UNHURRIED, max_examples=60)
@given(
    altered_documents(), st.sampled_from((read_native_document, read_fragment_document, read_steps_document))
)
def test_any_altered_document_is_read_or_refused(document: Any, read: Any) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=1)
    error = refusal(text, read)
    if error is not None:
        check_that_it_can_be_told(error, text)


@settings(UNHURRIED, max_examples=40)
@given(native_documents())
def test_a_document_means_the_same_in_yaml_and_in_json(document: Document) -> None:
    # Escapes of half a surrogate pair are JSON's alone, so characters stand for themselves.
    text = json.dumps(document, ensure_ascii=False)
    error = refusal(text, lambda given: read_native_document(given, Syntax.JSON))
    if error is None and text.isprintable():
        assert (
            read_native_document(text, Syntax.YAML).document
            == read_native_document(text, Syntax.JSON).document
        )


@settings(UNHURRIED, max_examples=150)
@given(st.data())
def test_any_damaged_text_is_read_or_refused(data: st.DataObject) -> None:
    text = SHOP
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        until = data.draw(st.integers(at, min(len(text), at + 12)))
        piece = data.draw(
            st.sampled_from(("", "\t", "\n", ": ", "- ", "*a", "&a ", "<<: ", "'", "[", "}", "!x ", "|"))
        )
        text = text[:at] + piece + text[until:]
    error = refusal(text)
    if error is not None:
        check_that_it_can_be_told(error, text)


def test_every_hook_and_step_has_the_same_keys_but_two() -> None:
    assert set(known_keys(StepDocument)) - set(known_keys(HookDocument)) == {"name", "needs"}
