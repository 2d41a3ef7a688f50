"""Texts as programs quote them: JSON, shells, Python."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

from lineshaft.sdk.masking.zsh import zsh_forms

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]*")
"""What no language quotes, unless it writes everything as numbers."""

_SHORT_JSON: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_FOR_PAGES: Final = "<>&\u2028\u2029"
"""Go, Rails and others escape these in JSON, so that it may stand in a page."""

_STRICT: Final = _FOR_PAGES + "\"'+`"
"""What .NET escapes by number."""

_ASCII_END: Final = 0x7F
_FIRST_PRINTABLE: Final = 0x20
_BASIC_END: Final = 0xFFFF

_ANSI_C: Final = {
    "\\": "\\\\", "'": "\\'", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n",
    "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip

_BASH_WORD: Final = "\t !\"$&'()*,;<>?[\\]^`{|}"
_KEPT_BY_RUBY: Final = "-_.,:+/@%"


def quoted_forms(text: str) -> Iterator[bytes]:
    """Name a text's forms within quotes, without these: JSON strings, words of shells, literals of Python."""
    forms = {"".join(map(_number_lower, text)), "".join(map(_number_upper, text))}
    if _PLAIN.fullmatch(text) is None:
        forms.update(_json_forms(text), _shell_forms(text), zsh_forms(text), _python_forms(text))
    for form in forms:
        yield form.encode(errors="surrogateescape")


def _json_forms(text: str) -> Iterator[str]:
    """Escape (RFC 8259, section 7) as little as may be, and as much as libraries do."""
    # What does not concern this text would only make the same again.
    escaped = ["", *(more for more in (_FOR_PAGES, _STRICT) if not set(text).isdisjoint(more))]
    for spelling, more, slash, ascii_only in product(
        (_number_lower, _number_upper), escaped, {False, "/" in text}, {False, ord(max(text)) >= _ASCII_END}
    ):
        table = _json_table(text, spelling, more, ascii_only=ascii_only)
        yield text.translate(table | {ord("/"): "\\/"} if slash else table)
    yield json.dumps(json.dumps(text, ensure_ascii=False)[1:-1], ensure_ascii=False)[1:-1]


def _json_table(text: str, spelling: Callable[[str], str], more: str, *, ascii_only: bool) -> dict[int, str]:
    table = {}
    for character in set(text):
        if character in more:
            table[ord(character)] = spelling(character)
        elif character in _SHORT_JSON:
            table[ord(character)] = _SHORT_JSON[character]
        elif ord(character) < _FIRST_PRINTABLE or (ascii_only and ord(character) >= _ASCII_END):
            table[ord(character)] = spelling(character)
    return table


def _number_lower(character: str) -> str:
    code = ord(character)
    if code <= _BASIC_END:
        return f"\\u{code:04x}"
    pair = character.encode("utf-16-be")
    return f"\\u{pair[:2].hex()}\\u{pair[2:].hex()}"


def _number_upper(character: str) -> str:
    return _number_lower(character).upper().replace("\\U", "\\u")


def _shell_forms(text: str) -> Iterator[str]:
    """Quote as bash, dash, Python's shlex and git do, in what they print and what they are given."""
    for quote in ("'\\''", "'\"'\"'"):
        yield text.replace("'", quote)
    yield text.replace("'", "'\\''").replace("!", "'\\!'")
    yield _escaped(text, '"$`\\')
    yield _escaped(text, '"$`\\!')
    for escape, octal in product(("\\E", "\\e", "\\033") if "\x1b" in text else ("",), (False, True)):
        yield "".join(_ansi_c(character, escape, octal=octal) for character in text)
    ruby = {each for each in text if not (each.isalnum() or each in _KEPT_BY_RUBY or each == "\n")}
    for special in (_BASH_WORD, _BASH_WORD.replace(",", ""), "".join(ruby)):
        escaped = _escaped(text, special)
        yield escaped
        # A word's first character is escaped where it would mean something only there.
        if text[0] in "#~=" and text[0] not in special:
            yield f"\\{escaped}"
        yield escaped.replace("\n", "'\n'")


def _escaped(text: str, special: str) -> str:
    return text.translate({ord(character): f"\\{character}" for character in special})


def _ansi_c(character: str, escape: str, *, octal: bool) -> str:
    if character in _ANSI_C:
        return _ANSI_C[character]
    if character == "\x1b":
        return escape
    code = ord(character)
    if code < _FIRST_PRINTABLE or code == _ASCII_END or (octal and code > _ASCII_END):
        return "".join(f"\\{byte:03o}" for byte in character.encode(errors="surrogateescape"))
    return character


def _python_forms(text: str) -> Iterator[str]:
    yield repr(text)[1:-1]
    yield repr(text.encode(errors="surrogateescape"))[2:-1]
    yield ascii(text)[1:-1]
