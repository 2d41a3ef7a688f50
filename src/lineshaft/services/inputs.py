"""The inputs of a run: what was given, held against what the pipeline asks for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from lineshaft.model.errors import InvalidInputError, Problem
from lineshaft.model.input import Input, InputType
from lineshaft.model.value import Value

_TEXT_LIMIT: Final = 64 * 1024
_NUMBER_LIMIT: Final = 2**63
"""Larger numbers, and those that are none, such as `nan`, are not taken."""


def resolve_inputs(asked: Sequence[Input], given: Mapping[str, Any]) -> dict[str, Value]:
    """Give each input of a pipeline its value.

    Args:
        asked: what the pipeline asks for.
        given: values by name; a text is read as a number or a boolean where such is asked for.

    Raises:
        InvalidInputError: one is missing, not asked for, or not as it must be; with all that is wrong.
    """
    names = {each.name for each in asked}
    known = ", ".join(sorted(names)) or "it has none"
    problems = [
        Problem(f"inputs.{name}", f"is no input of the pipeline; its inputs: {known}")
        for name in given
        if name not in names
    ]
    values: dict[str, Value] = {}
    for each in asked:
        value = given.get(each.name, each.default)
        if value is None:
            if each.required:
                problems.append(Problem(f"inputs.{each.name}", "is required, and was not given"))
            continue
        read = _read(each, value)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            values[each.name] = read
    if problems:
        first = problems[0]
        raise InvalidInputError(f"The inputs do not fit: {first.field} {first.message}.", problems=problems)
    return values


def _read(asked: Input, value: Any) -> Value | Problem:
    field = f"inputs.{asked.name}"
    read = _of_type(asked.type, value)
    if read is None:
        return Problem(field, f"must be a {asked.type.value}")
    if isinstance(read, str) and len(read) > _TEXT_LIMIT:
        return Problem(field, f"must have at most {_TEXT_LIMIT:,} characters")
    if asked.choices and not any(
        choice == read and isinstance(choice, bool) is isinstance(read, bool) for choice in asked.choices
    ):
        return Problem(field, f"must be one of {', '.join(map(str, asked.choices))}")
    return read


def _of_type(kind: InputType, value: Any) -> Value | None:
    match kind:
        case InputType.STRING:
            return value if isinstance(value, str) else _said(value)
        case InputType.NUMBER:
            return _number(value)
        case InputType.BOOLEAN:
            if isinstance(value, str):
                return {"true": True, "false": False}.get(value)
            return value if isinstance(value, bool) else None
        case _:
            assert_never(kind)


def _said(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    for read in (int, float):
        try:
            number = read(value)
        except ValueError:
            continue
        return number if abs(number) < _NUMBER_LIMIT else None
    return None
