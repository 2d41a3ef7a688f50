"""The inputs of a run, put together from what is given."""

from typing import Any

import pytest

from lineshaft.definition import resolve_inputs
from lineshaft.model.errors import InvalidInputError
from native_definitions import native

DEFINITION = native("""
name: p
inputs:
  level: {default: fast, choices: [fast, full]}
  count: {type: number, default: 1}
  dry: {default: false}
  who: {}
  note: {required: false}
steps: []
""")


def test_defaults_stand_for_what_is_not_given() -> None:
    assert resolve_inputs(DEFINITION, {"who": "me"}) == {
        "level": "fast",
        "count": 1,
        "dry": False,
        "who": "me",
    }


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("count", "3", 3),
        ("count", "2.5", 2.5),
        ("dry", "true", True),
        ("who", 3, "3"),
        ("who", True, "true"),
        ("level", "full", "full"),
    ],
)
def test_text_is_taken_for_what_is_asked_for(name: str, given: object, value: Any) -> None:
    resolved = resolve_inputs(DEFINITION, {"who": "me", name: given})[name]
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({}, [("inputs.who", "is missing; it must be text")]),
        ({"who": "x", "count": "many"}, [("inputs.count", 'must be a number, not "many"')]),
        ({"who": "x", "count": 2**63}, [("inputs.count", f"must be a number, not {2**63}")]),
        ({"who": "x", "count": True}, [("inputs.count", "must be a number, not true")]),
        ({"who": "x", "dry": "yes"}, [("inputs.dry", 'must be true or false, not "yes"')]),
        ({"who": "x", "level": "slow"}, [("inputs.level", 'must be one of "fast", "full", not "slow"')]),
        ({"who": None}, [("inputs.who", "must be text, not nothing")]),
        (
            {"levle": "fast", "dry": 1},
            [
                ("inputs.dry", "must be true or false, not 1"),
                ("inputs.levle", "is no input of the pipeline"),
                ("inputs.who", "is missing; it must be text"),
            ],
        ),
    ],
)
def test_all_that_does_not_fit_is_told(given: dict[str, object], problems: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolve_inputs(DEFINITION, given)
    assert [(each.field, each.message) for each in caught.value.problems] == problems


def test_the_nearest_name_is_told_for_an_unknown_one() -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolve_inputs(DEFINITION, {"who": "x", "levle": "fast"})
    assert caught.value.problems[0].advice == "did you mean `level`?"
