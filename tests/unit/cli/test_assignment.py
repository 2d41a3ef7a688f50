import click
import pytest

from lineshaft.cli.assignment import Assignment


def read(text: str) -> tuple[str, str]:
    return Assignment("NAME").convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "name", "value"), [("a=b", "a", "b"), ("a=b=c", "a", "b=c"), ("a=", "a", ""), ("a=1", "a", "1")]
)
def test_a_value_begins_behind_the_first_equals_sign(text: str, name: str, value: str) -> None:
    assert read(text) == (name, value)


@pytest.mark.parametrize("text", ["a", "=b", ""])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="NAME=VALUE"):
        read(text)
