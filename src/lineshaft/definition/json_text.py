"""JSON from outside, read strictly.

The standard library's decoder does the work; what it lets pass although RFC 8259 or the systems behind us do
not (repeated keys, NaN, numbers of any length, NUL, halves of surrogate pairs) is found here.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from lineshaft.definition.encoded import decoded
from lineshaft.definition.findings import Findings, invalid
from lineshaft.definition.json_position import JsonPositions
from lineshaft.definition.position import Path
from lineshaft.model.errors import InputTooLargeError, Problem

NESTING_LIMIT: Final = 64
"""How many objects and arrays may lie within each other, the outermost included."""

NUMBER_LIMIT: Final = 100
"""How many characters a number may be written with."""

# Only texts in which one of these escapes occurs can hold a NUL or half a surrogate pair.
_DOUBTFUL_ESCAPE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class JsonText:
    """A text that is JSON.

    Attributes:
        value: what it says; a number that is not allowed stands as 1.
        findings: what is wrong with it although it is JSON; more can be added.
    """

    value: Any
    findings: Findings


def read_json(data: str | bytes, *, nesting_limit: int = NESTING_LIMIT) -> JsonText:
    """Read a JSON text.

    Args:
        data: the text, in UTF-8 where it is bytes.
        nesting_limit: how many objects and arrays may lie within each other; at most a few hundred.

    Raises:
        InvalidDefinitionError: it is not JSON (RFC 8259) in UTF-8 without a byte order mark, or its strings
            cannot be written in UTF-8 again.
        InputTooLargeError: it is longer than 1 MiB, or nested deeper than its limit.
    """
    text = decoded(data)
    if text.startswith("\ufeff"):
        raise invalid(
            [Problem("", "begins with a byte order mark; JSON has none (RFC 8259, section 8.1)", 1, 1)]
        )
    if not text.strip():
        raise invalid([Problem("", "is empty; a definition is a JSON object", 1, 1)])
    marks = _Marks()
    try:
        value = marks.decoder().decode(text)
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise invalid([Problem("", message, error.lineno, error.colno)]) from None
    except RecursionError:
        raise _nested_too_deep(nesting_limit) from None
    if _nested_deeper(value, nesting_limit):
        raise _nested_too_deep(nesting_limit)
    findings = Findings(JsonPositions(text))
    if marks.left or _DOUBTFUL_ESCAPE.search(text):
        _examine(value, findings)
    return JsonText(value, findings)


def _nested_too_deep(limit: int) -> InputTooLargeError:
    return InputTooLargeError(
        f"A definition nests objects and arrays at most {limit} deep; this one goes deeper."
    )


def _nested_deeper(value: Any, limit: int) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [inner for outer in level for inner in _members(outer) if isinstance(inner, dict | list)]
    return bool(level)


def _members(value: dict[str, Any] | list[Any]) -> Any:
    return value.values() if isinstance(value, dict) else value


class _Unfit(float):
    """Stands where a number is not allowed, and knows why."""

    why: str


class _Repeating(dict[str, Any]):
    """An object in which keys were repeated, and which ones."""

    repeated: tuple[str, ...]


class _Marks:
    """What the decoder calls: it notes that something is wrong, and leaves a mark where."""

    def __init__(self) -> None:
        self.left = False

    def decoder(self) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._int,
            parse_float=self._float,
            parse_constant=self._constant,
        )

    def _int(self, literal: str) -> float | int:
        return int(literal) if len(literal) <= NUMBER_LIMIT else self._too_long(literal)

    def _float(self, literal: str) -> float:
        if len(literal) > NUMBER_LIMIT:
            return self._too_long(literal)
        number = float(literal)
        return number if isfinite(number) else self._unfit(f"must be below 1.8e308, not {literal}")

    def _constant(self, literal: str) -> float:
        return self._unfit(f"must be JSON, which has no {literal}")

    def _too_long(self, literal: str) -> float:
        return self._unfit(f"must be written with at most {NUMBER_LIMIT} characters, not {len(literal):,}")

    def _unfit(self, why: str) -> float:
        self.left = True
        unfit = _Unfit(1)
        unfit.why = why
        return unfit

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        self.left = True
        repeating = _Repeating(members)
        times = Counter(key for key, _ in pairs)
        repeating.repeated = tuple(key for key in members if times[key] > 1)
        return repeating


def _examine(value: Any, findings: Findings) -> None:
    """Find the marks that were left, and strings that may not be."""
    writable = True
    for path, inner in _walk(value):
        if isinstance(inner, _Unfit):
            findings.add(path, inner.why)
        if isinstance(inner, _Repeating):
            for key in inner.repeated:
                findings.add((*path, key), "is given more than once; give it once")
        strings = inner if isinstance(inner, dict) else (inner,) if isinstance(inner, str) else ()
        for string in strings:
            where = (*path, string) if isinstance(inner, dict) else path
            if "\0" in string:
                findings.add(where, "must hold no NUL character (\\u0000)")
            if _SURROGATE.search(string):
                writable = False
                findings.add(where, "must be Unicode text, not half a surrogate pair (\\ud800 to \\udfff)")
    if not writable:
        raise findings.error()


def _walk(value: Any) -> Iterator[tuple[Path, Any]]:
    """Go through a value and all within it, in the order of the text."""
    stack: list[tuple[Path, Any]] = [((), value)]
    while stack:
        path, inner = stack.pop()
        yield path, inner
        members = (
            inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        )
        stack.extend(((*path, step), member) for step, member in reversed(list(members)))
