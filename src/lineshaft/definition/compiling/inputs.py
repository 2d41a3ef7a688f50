"""The inputs of a run: what is given for them, held against what is asked."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from lineshaft.definition.findings import shown
from lineshaft.definition.native.shape import nearest
from lineshaft.definition.scalar import UnfitNumberError, as_text, plain_scalar
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidInputError, Problem
from lineshaft.model.input import Input, InputType
from lineshaft.model.value import Value

_DEMANDS: Final = {
    InputType.STRING: "text",
    InputType.NUMBER: "a number",
    InputType.BOOLEAN: "true or false",
}
_TEXT_LIMIT: Final = 64 * 1024
_NUMBER_LIMIT: Final = 2**63


def resolve_inputs(definition: Definition, given: Mapping[str, object]) -> dict[str, Value]:
    """Put the inputs of a run together.

    Args:
        definition: what asks for them.
        given: values by name. Text is taken for a number or boolean where one is asked for, because the
            command line and the environment have nothing else; a number is taken for text likewise.

    Returns:
        A value for each input that has one, given or by default, in the order of the definition.

    Raises:
        InvalidInputError: names are unknown, values missing, or not what is asked for; with all problems.
    """
    return fitted(definition.inputs, given)


def fitted(inputs: Sequence[Input], given: Mapping[str, object]) -> dict[str, Value]:
    """Put the inputs of a run together, as `resolve_inputs` does."""
    asked = {each.name: each for each in inputs}
    problems = []
    for name in given.keys() - asked.keys():
        known = f"it asks for {', '.join(asked)}" if asked else "it asks for none"
        problems.append(
            Problem(
                f"inputs.{name}", "is no input of the pipeline", advice=nearest(name, list(asked)) or known
            )
        )
    values: dict[str, Value] = {}
    for name, each in asked.items():
        if name not in given:
            if each.default is not None:
                values[name] = each.default
            elif each.required:
                problems.append(Problem(f"inputs.{name}", f"is missing; it must be {_demand(each)}"))
            continue
        value = _converted(each, given[name])
        problem = misfit(each, value)
        if problem is not None:
            problems.append(Problem(f"inputs.{name}", problem))
        elif isinstance(value, str | bool | int | float):
            values[name] = value
    if problems:
        problems.sort(key=lambda problem: problem.field)
        first = f"{problems[0].field} {problems[0].message}"
        more = "" if len(problems) == 1 else f" This is the first of {len(problems)} problems."
        raise InvalidInputError(f"The inputs do not fit the pipeline: {first}.{more}", problems=problems)
    return values


def misfit(asked: Input, value: object) -> str | None:
    """Tell what is wrong with a value for an input, in words that follow its name; None where nothing is."""
    if not _is_of(asked.type, value) or (isinstance(value, str) and len(value) > _TEXT_LIMIT):
        return f"must be {_demand(asked)}, not {_shown(value)}"
    if asked.choices and not any(_same(value, choice) for choice in asked.choices):
        return f"must be {_demand(asked)}, not {_shown(value)}"
    return None


def _is_of(kind: InputType, value: Any) -> bool:
    match kind:
        case InputType.STRING:
            return isinstance(value, str)
        case InputType.NUMBER:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            # An expression has no larger whole numbers.
            return number and -_NUMBER_LIMIT <= value < _NUMBER_LIMIT
        case InputType.BOOLEAN:
            return isinstance(value, bool)
        case _:
            assert_never(kind)


def _converted(asked: Input, value: object) -> object:
    """Take text for what it stands for, and a number for the text that it is, where that is asked for."""
    if asked.type is InputType.STRING:
        return as_text(value) if isinstance(value, bool | int | float) else value
    if not isinstance(value, str):
        return value
    try:
        return plain_scalar(value.strip())
    except UnfitNumberError:
        return value


def _demand(asked: Input) -> str:
    if asked.choices:
        return f"one of {', '.join(map(shown, asked.choices))}"
    return _DEMANDS[asked.type]


def _shown(value: object) -> str:
    return shown(value) if isinstance(value, str | bool | int | float | list | dict) else "nothing"


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
