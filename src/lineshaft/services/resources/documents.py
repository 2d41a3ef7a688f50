"""JSON that others send: how much of it is taken, and how one document changes another."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lineshaft.model.errors import InputTooLargeError, InvalidInputError, Problem
from lineshaft.model.resource import MOST_METADATA, RESOURCE_TYPE_PATTERN

MOST_BYTES: Final = 256 * 1024
"""How long a spec or a payload may be, as JSON in UTF-8."""

DEEPEST: Final = 64
"""How deep objects and lists may be nested in it."""

LONGEST_TEXT: Final = 1_000
"""How many characters each of them may have."""

_TYPE: Final = re.compile(RESOURCE_TYPE_PATTERN)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}")
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")


def pointer(path: Sequence[str | int]) -> str:
    """Write a place in a document as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def check_type(name: str) -> None:
    """See whether a text can be the name of a type.

    Raises:
        InvalidInputError: it cannot.
    """
    _check_name(name, _TYPE, "type", 100)


def check_name(name: str) -> None:
    """See whether a text can be the name of a resource.

    Raises:
        InvalidInputError: it cannot.
    """
    _check_name(name, _NAME, "name", 253)


def check_metadata(metadata: Mapping[str, str]) -> None:
    """See whether texts can be the metadata of a resource.

    Raises:
        InvalidInputError: they cannot.
    """
    if len(metadata) > MOST_METADATA:
        raise _invalid("/metadata", f"has more than {MOST_METADATA} texts")
    for name, text in metadata.items():
        check_metadata_name(name)
        where = pointer(("metadata", name))
        if len(text) > LONGEST_TEXT:
            raise _invalid(where, f"has more than {LONGEST_TEXT} characters")
        if _unkept(text):
            raise _invalid(where, "holds a NUL, or half a character")


def check_metadata_name(name: str) -> None:
    """See whether a text can be the name of a text in the metadata of a resource.

    Raises:
        InvalidInputError: it cannot.
    """
    if _KEY.fullmatch(name) is None:
        message = "is no name: letters, digits and `_ . / -`, a letter or digit first, at most 100"
        raise _invalid(pointer(("metadata", name[:100])), message)


def check_json(value: Any, where: str, *, most_bytes: int = MOST_BYTES) -> None:
    """See whether a JSON value is one that is taken: not too long, not too deep, and of texts that are kept.

    Args:
        value: as it was read.
        where: a JSON Pointer to it in what was sent.
        most_bytes: how long it may be, as JSON in UTF-8.

    Raises:
        InputTooLargeError: it is too long, or too deep.
        InvalidInputError: a number in it is not finite, or a text has a NUL or half a character.
    """
    for part, depth in _parts(value):
        if depth > DEEPEST:
            raise InputTooLargeError(
                f"The document at {where or '/'} is nested more than {DEEPEST} deep.", advice="Flatten it."
            )
        if isinstance(part, float) and not math.isfinite(part):
            raise _invalid(where, "has a number that is not finite")
        if isinstance(part, str) and _unkept(part):
            raise _invalid(where, "has a text with a NUL or half a character")
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > most_bytes:
        raise InputTooLargeError(
            f"The document at {where or '/'} is longer than {most_bytes // 1024} KiB.",
            advice="Keep what is large elsewhere, and name it here.",
        )


def merged(document: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch (RFC 7396, section 2); neither of both is changed.

    Args:
        document: what is to be changed.
        patch: what is to be another way; None in it removes.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are written alike, in any order of names; 1 is neither 1.0 nor true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _parts(value: Any) -> Iterator[tuple[Any, int]]:
    """Go through a value and all that is in it, keys included, with how deep each is nested."""
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        part, depth = todo.pop()
        yield part, depth
        if isinstance(part, Mapping):
            todo += [(each, depth + 1) for pair in part.items() for each in pair]
        elif isinstance(part, list | tuple):
            todo += [(each, depth + 1) for each in part]


def _unkept(text: str) -> bool:
    """Tell whether a text is one that not every database can keep."""
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _check_name(name: str, pattern: re.Pattern[str], what: str, longest: int) -> None:
    if pattern.fullmatch(name) is None:
        message = (
            f"is no {what} of resources: letters, digits and `_ . -`, a letter or digit first, "
            f"at most {longest}"
        )
        raise _invalid(f"/{what}", message)


def _invalid(where: str, message: str) -> InvalidInputError:
    return InvalidInputError("The resource is not as it must be.", problems=[Problem(where, message)])
