from typing import Any

import pytest

from lineshaft.definition.scalar import UnfitNumberError, as_text, plain_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("true", True),
        ("FALSE", False),
        ("0", 0),
        ("-12", -12),
        ("+3", 3),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1e3", -1000.0),
    ],
)
def test_the_core_schema_knows_it(text: str, value: Any) -> None:
    read = plain_scalar(text)
    assert read == value
    assert isinstance(read, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "yes",
        "No",
        "off",
        "3_000",
        "1:30",
        "0b11",
        "2026-11-21",
        "0o9",
        "0x",
        "nulL",
        "tRue",
        ".",
        "-",
        "1e",
        "٣",
    ],
)
def test_whatever_it_does_not_know_is_text(text: str) -> None:
    assert plain_scalar(text) == text


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "1" * 101, "0x" + "f" * 100])
def test_a_number_that_json_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(UnfitNumberError):
        plain_scalar(text)


@pytest.mark.parametrize("text", ["3.10", "007", "0x1F", "1e3", "+1", "12", "1.5"])
def test_a_number_as_text_is_what_was_written(text: str) -> None:
    read = plain_scalar(text)
    assert isinstance(read, int | float)
    assert as_text(read) == text


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (1, "1"), (1.0, "1.0"), ("x", "x")]
)
def test_a_value_as_text_is_as_json_writes_it(value: Any, text: str) -> None:
    assert as_text(value) == text
