"""Values that go into expressions and come out of them, and how they look as text."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final, TypeAlias, cast

from lineshaft.model.errors import ExpressionError

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"

MAX_TEXT_BYTES: Final = 64 * 1024
_MAX_DEPTH: Final = 32
_MAX_ITEMS: Final = 10_000
_MAX_INTEGER: Final = 2**63


def plain(name: str, value: object) -> object:
    """Copy a value of the scope into what CEL takes, and hold it against the limits.

    Args:
        name: what the expression calls it, for the error.
        value: a `Value`; mappings and sequences of any class.

    Raises:
        ExpressionError: it is of another type, too large, or too deep.
    """
    return _Copy(name).copy(value, 0)


class _Copy:
    """Copies one value and counts what is in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.items = 0

    def copy(self, value: object, depth: int) -> object:
        self.items += 1
        if self.items > _MAX_ITEMS or depth > _MAX_DEPTH:
            raise ExpressionError(
                f"{self.name} holds too much for an expression: "
                f"at most {_MAX_ITEMS} values, {_MAX_DEPTH} deep, are allowed."
            )
        match value:
            case None | bool():
                return value
            case int():
                # CEL has integers of 64 bits; a larger one would silently lose digits.
                if not -_MAX_INTEGER <= value < _MAX_INTEGER:
                    raise ExpressionError(f"{self.name} holds {value}, which does not fit into 64 bits.")
                return value
            case float():
                return value
            case str():
                return bounded_text(value, self.name)
            case Mapping():
                copied = {self.copy_key(key): self.copy(item, depth + 1) for key, item in value.items()}
                # The library gives maps in an order that changes from one evaluation to the next.
                return dict(sorted(copied.items(), key=itemgetter(0)))
            case Sequence() if not isinstance(value, bytes | bytearray):
                return [self.copy(item, depth + 1) for item in value]
            case _:
                raise ExpressionError(f"{self.name} holds {type(value).__name__}, which is no value here.")

    def copy_key(self, key: object) -> str:
        if not isinstance(key, str):
            raise ExpressionError(f"{self.name} holds a map with the key {key!r:.80}; keys must be text.")
        return bounded_text(key, self.name)


def bounded_text(text: str, what: str) -> str:
    """Give the text back when it can be used.

    Args:
        text: the text.
        what: its name, for the error.

    Raises:
        ExpressionError: it is over 64 KiB, or is no valid Unicode.
    """
    try:
        size_bytes = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise ExpressionError(f"{what} is not valid Unicode text.") from None
    if size_bytes > MAX_TEXT_BYTES:
        raise ExpressionError(f"{what} is longer than the {MAX_TEXT_BYTES // 1024} KiB that are allowed.")
    return text


def checked(value: object) -> Value:
    """Hold what an expression gave against the types and limits of a `Value`.

    Times become text as RFC 3339 has it, durations become text in seconds (`90s`).

    Raises:
        ExpressionError: it is of another type, or too large.
    """
    match value:
        case dt.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dt.timedelta():
            return f"{value.total_seconds():g}s"
        case _:
            return cast("Value", plain("The result", value))


def as_text(value: Value) -> str:
    """Write a value the way a template shows it.

    A boolean is `true` or `false`, null is empty, a whole number has no point, the commit is its sha, and any
    other map or list is compact JSON with sorted keys.

    Raises:
        ExpressionError: JSON cannot say it, or the text is over 64 KiB.
    """
    return bounded_text(_text(value), "The result")


def _text(value: Value) -> str:
    match value:
        case str():
            return value
        case {"sha": str(sha), "short": str(), "message": str(), "author": str()}:
            return sha
        case float() if value.is_integer() and abs(value) < _MAX_INTEGER:
            return str(int(value))
        case int() | float() if not isinstance(value, bool):
            return str(value)
        case _:
            return "" if value is None else _json(value)


def _json(value: Value) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (ValueError, TypeError):
        raise ExpressionError(
            "The result has no JSON: it holds an infinite number, or keys that are not all text."
        ) from None
