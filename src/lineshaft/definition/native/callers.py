"""How a pipeline says which others may call it."""

from typing import Annotated

from pydantic import Field, PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.value import Caller
from lineshaft.model.callers import ANY_CALLER


def _callers(value: object, handler: ValidatorFunctionWrapHandler) -> str | list[str]:
    # Told apart by hand: of a union, pydantic would tell for each form what is wrong.
    if value == ANY_CALLER:
        return ANY_CALLER
    if isinstance(value, list):
        callers: list[str] = handler(value)
        return callers
    raise ValueError(value)


def _as_written(value: str | list[str]) -> str | list[str]:
    return value


CallableBy = Annotated[
    Annotated[
        list[Caller],
        Field(min_length=1),
        WrapValidator(_callers),
        PlainSerializer(_as_written),
    ]
    | None,
    Key(
        "The pipelines that may call this one; without it none may",
        f'"{ANY_CALLER}", or a list of names and ids of pipelines, not empty',
        short={"const": ANY_CALLER},
    ),
]
