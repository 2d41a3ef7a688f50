"""JSON from outside: whatever it is, it is read or refused with its place, and nothing else happens."""

import json

import pytest

from lineshaft.definition.json_text import read_json
from lineshaft.model.errors import InputTooLargeError, InvalidDefinitionError, Problem


def problem(data: bytes) -> Problem:
    """Return the one problem of a text, whether it is found at once or noted."""
    with pytest.raises(InvalidDefinitionError) as caught:
        raise read_json(data).findings.error()
    [found] = caught.value.problems
    return found


@pytest.mark.parametrize(
    ("data", "message", "line", "column"),
    [
        (b"", "is empty; a definition is a JSON object", 1, 1),
        (b" \n ", "is empty; a definition is a JSON object", 1, 1),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark; JSON has none (RFC 8259, section 8.1)", 1, 1),
        (b"\xff\xfe{\0}\0", "is not UTF-8: byte 0xff at offset 0", 1, 1),
        (b'{\n"n\xc3\xa4h": "\xc3"}', "is not UTF-8: byte 0xc3 at offset 11", 2, 9),
        (b'"\xed\xa0\x80"', "is not UTF-8: byte 0xed at offset 1", 1, 2),
        (b'{\n  "a": 1\n} x', "is not JSON: ", 3, 3),
        (b'{"a": tru}', "is not JSON: ", 1, 7),
        (b'{"a": "\0"}', "is not JSON: ", 1, 8),
        (b"{'a': 1}", "is not JSON: ", 1, 2),
        (b'"\\x"', "is not JSON: ", 1, 2),
        (b"\xc2\xa0{}", "is not JSON: ", 1, 1),
        (b"01", "is not JSON: ", 1, 2),
    ],
)
def test_what_is_no_json_is_refused_where_it_ceases_to_be(
    data: bytes, message: str, line: int, column: int
) -> None:
    found = problem(data)
    assert found.message.startswith(message)
    assert (found.field, found.line, found.column) == ("", line, column)


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        (b'{"a": NaN}', "a", "must be JSON, which has no NaN"),
        (b'{"a": [0, -Infinity]}', "a.1", "must be JSON, which has no -Infinity"),
        (b'{"a": 1e999}', "a", "must be below 1.8e308, not 1e999"),
        (b'{"a": -1e999}', "a", "must be below 1.8e308, not -1e999"),
        (b"9" * 10_000, "", "must be written with at most 100 characters, not 10,000"),
        (b'{"a": 0.' + b"1" * 999 + b"}", "a", "must be written with at most 100 characters, not 1,001"),
        (b'{"a": {"b": 1, "c": 2, "b": 1}}', "a.b", "is given more than once; give it once"),
        (b'{"a": ["\\u0000"]}', "a.0", "must hold no NUL character (\\u0000)"),
        (b'{"a\\u0000": 1}', "a\\u0000", "must hold no NUL character (\\u0000)"),
        (b'"\\ud800"', "", "must be Unicode text, not half a surrogate pair (\\ud800 to \\udfff)"),
        (b'"\\udc00\\ud800"', "", "must be Unicode text, not half a surrogate pair (\\ud800 to \\udfff)"),
        (
            b'{"\\uDFFF": 1}',
            "\\udfff",
            "must be Unicode text, not half a surrogate pair (\\ud800 to \\udfff)",
        ),
    ],
)
def test_json_that_cannot_be_kept_is_refused_with_its_path(data: bytes, field: str, message: str) -> None:
    found = problem(data)
    assert (found.field, found.message) == (field, message)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, -0.0, 1e-400, "\\ud83e\\uddf5", "\\\\u0000", "\\\\ud800"]}',
        '"\\u0001\\u007f\\u2028"',
        "9" * 100,
        "[" * 64 + "]" * 64,
        '{"a":' * 63 + "{}" + "}" * 63,
    ],
)
def test_json_that_is_only_unusual_is_read(text: str) -> None:
    read = read_json(text.encode())
    assert not read.findings
    assert read.value == json.loads(text)


def test_several_faults_are_found_at_once() -> None:
    with pytest.raises(InvalidDefinitionError) as caught:
        read_json(b'{"a": NaN, "b": "\\ud800", "c": 1, "c": 2}')
    assert [found.field for found in caught.value.problems] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 64 + b"[]" + b"}" * 64,
        b"[" * 1_000 + b"]" * 1_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_nested_too_deep_is_refused_with_the_limit(data: bytes) -> None:
    with pytest.raises(InputTooLargeError, match="at most 64 deep"):
        read_json(data)


def test_a_mebibyte_is_read_and_one_byte_more_is_refused_with_the_limit() -> None:
    assert read_json(b'"' + b"x" * 1_048_574 + b'"').value == "x" * 1_048_574
    with pytest.raises(InputTooLargeError, match="at most 1,048,576 bytes; this one has 1,048,577"):
        read_json(b'"' + b"x" * 1_048_575 + b'"')
