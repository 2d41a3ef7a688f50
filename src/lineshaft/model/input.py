"""Inputs: what a pipeline asks of whoever starts it."""

from dataclasses import dataclass
from enum import StrEnum

from lineshaft.model.value import Value


class InputType(StrEnum):
    """What an input's value must be."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a pipeline.

    Attributes:
        name: by which expressions ask for it.
        type: what its value must be.
        default: its value when nobody gives one; None where there is none.
        choices: the values that it may have; empty means any.
        required: whether a run cannot be made without a value.
        description: what it is for, for people.
    """

    name: str
    type: InputType = InputType.STRING
    default: Value | None = None
    choices: tuple[Value, ...] = ()
    required: bool = False
    description: str = ""
