"""Single values of a definition: how YAML writes them, and what they are as text."""

import re
from math import isfinite
from typing import Final

NUMBER_LIMIT: Final = 100
"""How many characters a number may be written with."""

NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
"""How null is written."""

_TRUE: Final = frozenset(("true", "True", "TRUE"))
_FALSE: Final = frozenset(("false", "False", "FALSE"))
_SPECIAL_BEGINNINGS: Final = frozenset("0123456789+-.~nNtTfF")

_DECIMAL: Final = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL: Final = re.compile(r"0o[0-7]+", re.ASCII)
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)

Scalar = str | int | float | bool | None
"""A value that holds no others."""


class UnfitNumberError(ValueError):
    """A number that a definition cannot hold; the message follows its path in a sentence."""


class WrittenInt(int):
    """A whole number that was written otherwise than Python writes it, such as 007 or 0x10.

    Attributes:
        written: as it stands in the text.
    """

    written: str


class WrittenFloat(float):
    """A number that was written otherwise than Python writes it, such as 3.10.

    Attributes:
        written: as it stands in the text.
    """

    written: str


def plain_scalar(text: str) -> Scalar:
    """Tell what a scalar without quotes or tag stands for (YAML 1.2.2, section 10.3.2, the core schema).

    Args:
        text: the scalar, without space around it.

    Raises:
        UnfitNumberError: it is a number that JSON has no form for, or a very long one.
    """
    if text and text[0] not in _SPECIAL_BEGINNINGS:
        return text
    if text in NULLS:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return _number(text)


def as_text(value: str | float | bool) -> str:
    """Write a single value as text: a number as it was written, a boolean as `true` or `false`."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case WrittenInt() | WrittenFloat():
            return value.written
        case _:
            return repr(value)


def _number(text: str) -> str | int | float:
    if _DECIMAL.fullmatch(text):
        return _whole(text, 10)
    if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
        return _whole(text, 0)
    if _FLOAT.fullmatch(text):
        return _fraction(text)
    if _NOT_FINITE.fullmatch(text):
        raise UnfitNumberError(f"must be a number or text; {text} is neither in JSON")
    return text


def _whole(text: str, base: int) -> int:
    _refuse_long(text)
    number = int(text, base)
    if str(number) == text:
        return number
    written = WrittenInt(number)
    written.written = text
    return written


def _fraction(text: str) -> float:
    _refuse_long(text)
    number = float(text)
    if not isfinite(number):
        raise UnfitNumberError(f"must be below 1.8e308, not {text}")
    if repr(number) == text:
        return number
    written = WrittenFloat(number)
    written.written = text
    return written


def _refuse_long(text: str) -> None:
    if len(text) > NUMBER_LIMIT:
        raise UnfitNumberError(f"must be written with at most {NUMBER_LIMIT} characters, not {len(text):,}")
