from typing import Any

import click
import pytest

from lineshaft.cli.assignment import Assignment


def read(text: str, *, typed: bool = False) -> tuple[str, Any]:
    return Assignment("NAME", typed=typed).convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "name", "value"), [("a=b", "a", "b"), ("a=b=c", "a", "b=c"), ("a=", "a", ""), ("a=1", "a", "1")]
)
def test_a_value_begins_behind_the_first_equals_sign(text: str, name: str, value: str) -> None:
    assert read(text) == (name, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=5", 5),
        ("a=true", True),
        ("a=yes", "yes"),
        ("a=10m", "10m"),
        ("a=[x, y]", ["x", "y"]),
        ("a={count: 2}", {"count": 2}),
        ('a="5"', "5"),
        ("a=", ""),
    ],
)
def test_a_typed_value_is_what_it_would_be_in_a_file(text: str, value: object) -> None:
    assert read(text, typed=True) == ("a", value)


@pytest.mark.parametrize("text", ["a", "=b", ""])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="NAME=VALUE"):
        read(text)


def test_a_typed_value_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="no value in YAML"):
        read("a=[1", typed=True)
