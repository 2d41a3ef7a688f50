"""Plain values as YAML (1.2.2) for people: block style, scripts line by line, quotes only where needed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lineshaft.definition.scalar import as_text

_STEP: Final = 2

# A text that begins and goes on like this, and is no word of any YAML, stands without quotes.
_PLAIN: Final = re.compile(r"(?:[A-Za-z_/$(]|\./|--?[A-Za-z])[ -~]*")
_UNCLEAR: Final = re.compile(r": |:$| #| $")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", ""})
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_KEY_WORDS: Final = frozenset({"true", "false", "null"})

# What is printed as it is: no control or format characters, and no half of a surrogate pair.
_PRINTED: Final = " -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_BLOCK: Final = re.compile(f"[\t\n{_PRINTED}]*")
_ESCAPED: Final = re.compile(f'["\\\\]|[^{_PRINTED}]')
_FIRST_BEYOND_FOUR_DIGITS: Final = 0x10000
_SHORT_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write_yaml(value: Mapping[str, Any]) -> str:
    """Write an object as a YAML document; its keys stay in their order.

    Args:
        value: an object of texts, numbers, booleans, null, and lists and objects of these.
    """
    return "".join(f"{line}\n" for line in _object(value, 0)) if value else "{}\n"


def names_first(value: Any) -> Any:
    """Put the name of each thing before all else that is said of it, for those who read it."""
    match value:
        case {"name": name, **others}:
            return {"name": name, **{key: names_first(each) for key, each in others.items()}}
        case dict():
            return {key: names_first(each) for key, each in value.items()}
        case list():
            return [names_first(each) for each in value]
        case _:
            return value


def _object(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    for key, inner in value.items():
        yield from _member(f"{' ' * indent}{_key(key)}:", inner, indent)


def _member(head: str, value: Any, indent: int) -> Iterator[str]:
    match value:
        case dict() if value:
            yield head
            yield from _object(value, indent + _STEP)
        case list() | tuple() if value:
            yield head
            yield from _list(value, indent + _STEP)
        case _:
            yield from _scalar(head, value, indent)


def _list(value: Sequence[Any], indent: int) -> Iterator[str]:
    dash = f"{' ' * indent}-"
    for inner in value:
        match inner:
            case dict() if inner:
                lines = _object(inner, indent + _STEP)
                yield f"{dash} {next(lines)[indent + _STEP :]}"
                yield from lines
            case list() | tuple() if inner:
                lines = _list(inner, indent + _STEP)
                yield f"{dash} {next(lines)[indent + _STEP :]}"
                yield from lines
            case _:
                yield from _scalar(dash, inner, indent)


def _scalar(head: str, value: Any, indent: int) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value and value.strip() and _BLOCK.fullmatch(value):
        yield from _block(head, value, indent)
    else:
        yield f"{head} {_inline(value)}"


def _block(head: str, text: str, indent: int) -> Iterator[str]:
    # Where the first line does not show how deep the block stands, a number says so.
    depth = str(_STEP) if text[0] in " \t\n" else ""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    yield f"{head} |{depth}{'-' if ends == 0 else '' if ends == 1 else '+'}"
    margin = " " * (indent + _STEP)
    yield from (f"{margin}{line}" if line else "" for line in body.split("\n"))
    yield from [""] * (ends - 1)


def _key(key: str) -> str:
    return key if _KEY.fullmatch(key) and key.lower() not in _KEY_WORDS else _quoted(key)


def _inline(value: Any) -> str:
    match value:
        case None:
            return "null"
        case str():
            return _text(value)
        case bool() | int() | float():
            return as_text(value)
        case _:
            return "[]" if isinstance(value, list | tuple) else "{}"


def _text(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and not _UNCLEAR.search(text) and text.lower() not in _WORDS
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    number = ord(character)
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    return f"\\u{number:04x}" if number < _FIRST_BEYOND_FOUR_DIGITS else f"\\U{number:08x}"
