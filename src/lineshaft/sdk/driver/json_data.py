"""JSON data of a driver's: what can be sent, as plain values."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

MOST_BYTES: Final = 64 * 1024
"""The most that the data of a result may take up as JSON, in bytes of UTF-8."""

_DEEPEST: Final = 64
_LARGEST: Final = 2**63 - 1


class NotJsonError(Exception):
    """A value cannot be sent as JSON; the message is a sentence that tells where, and why."""

    def __init__(self, place: str, why: str) -> None:
        """Name the place by a JSON Pointer (RFC 6901), and say what is wrong there."""
        super().__init__(f"`data`{f' at {place}' if place else ''} {why}.")


def plain_json(data: Mapping[Any, Any]) -> dict[str, Any]:
    """Copy a JSON object of plain dicts, lists, texts, numbers, booleans and None.

    Args:
        data: at most 64 KiB as JSON; tuples count as lists.

    Raises:
        NotJsonError: it is larger, or something in it is no JSON that every database and program takes.
    """
    plain = _object(data, "", 0)
    size = len(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MOST_BYTES:
        raise NotJsonError("", f"takes up {size:,} bytes as JSON; it may take up {MOST_BYTES:,}")
    return plain


def _object(value: Mapping[Any, Any], place: str, depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, each in value.items():
        if not isinstance(name, str):
            raise NotJsonError(place, f"has the key {name!r}; keys are texts")
        below = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
        plain[_text(name, place)] = _value(each, below, depth + 1)
    return plain


def _value(value: Any, place: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise NotJsonError("", f"is nested more than {_DEEPEST} levels deep")
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, place)
        case int():
            return _integer(value, place)
        case float():
            if not math.isfinite(value):
                raise NotJsonError(place, f"is {value}, which JSON does not have")
            return float(value)
        case Mapping():
            return _object(value, place, depth)
        case list() | tuple():
            return [_value(each, f"{place}/{index}", depth + 1) for index, each in enumerate(value)]
        case _:
            kind = type(value).__qualname__
            raise NotJsonError(place, f"is of the type {kind}; say it as a text, a number, a list or a dict")


def _text(text: str, place: str) -> str:
    if "\0" in text:
        raise NotJsonError(place, "holds a NUL character, which databases do not take")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotJsonError(place, "holds half a surrogate pair, which is no character") from None
    return text


def _integer(number: int, place: str) -> int:
    if not -_LARGEST - 1 <= number <= _LARGEST:
        raise NotJsonError(place, "is an integer of more than 64 bits; say it as a text")
    return int(number)
