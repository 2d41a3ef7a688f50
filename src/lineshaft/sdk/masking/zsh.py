"""Texts as zsh prints them: in its traces, in its errors, and quoted."""

import unicodedata
from collections.abc import Iterator
from typing import Final

_SPACE: Final = 0x20
_DELETE: Final = 0x7F
_ASCII_END: Final = 0x80
_BYTE_END: Final = 0x100
_BASIC_END: Final = 0x10000

_NOT_PRINTED: Final = frozenset({"Cc", "Cn", "Cs", "Zl", "Zp"})
"""The categories of what the C library calls unprintable where the locale's encoding is UTF-8."""

_WITHIN_QUOTES: Final = {each: f"\\{each}" for each in "\\'"}
_WORD: Final = {each: f"\\{each}" for each in " \"#$&'()*;<>?[\\]^`{|}"}
_NUMBERED: Final = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


def zsh_forms(text: str) -> Iterator[str]:
    r"""Name a text's forms, without the quotes around it, in locales with UTF-8 and in those without.

    What cannot be printed stands as `$'\M-C\C-['` in a trace, as `\M-C^[` in an error, and as
    `$'\303'$'\033'` in what `printf %q` prints (zshexpn(1), the flags `q` and `V`).
    """
    characters = set(text)
    for utf8 in (True, False):
        hidden = {each for each in characters if not _is_printed(each, utf8=utf8)}
        traced = {each: _visible(each, "\\C-", utf8=utf8) for each in hidden}
        numbered = {each: "".join(map(_number, _bytes_of(each))) for each in hidden}
        words = {each: _word(each, utf8=utf8) for each in hidden}
        yield _spelled(text, _WITHIN_QUOTES | traced)
        yield _spelled(text, {each: _visible(each, "^", utf8=utf8) for each in hidden})
        for mark in ({}, {"!": "\\!"}):
            yield _spelled(text, _WITHIN_QUOTES | numbered | mark)
        for tilde in ({}, {"~": "\\~"}):
            word = _spelled(text, _WORD | words | tilde)
            yield word
            # A word's first character is quoted where it would mean something only there.
            if text[0] in "=~" and not word.startswith("\\"):
                yield f"\\{word}"


def _spelled(text: str, spellings: dict[str, str]) -> str:
    return text.translate({ord(character): spelling for character, spelling in spellings.items()})


def _is_printed(character: str, *, utf8: bool) -> bool:
    if ord(character) < _ASCII_END:
        return _SPACE <= ord(character) < _DELETE
    return utf8 and unicodedata.category(character) not in _NOT_PRINTED


def _visible(character: str, control: str, *, utf8: bool) -> str:
    code = ord(character)
    if not utf8 or unicodedata.category(character) == "Cs":
        return "".join(_visible_byte(byte, control) for byte in _bytes_of(character))
    if code < _BYTE_END:
        return _visible_byte(code, control)
    return f"\\u{code:04x}" if code < _BASIC_END else f"\\U{code:08x}"


def _visible_byte(byte: int, control: str) -> str:
    meta, low = "\\M-" if byte >= _ASCII_END else "", byte % _ASCII_END
    if low in b"\t\n":
        return f"{meta}{_NUMBERED[low]}"
    if low < _SPACE or low == _DELETE:
        return f"{meta}{control}{chr(low ^ 0x40)}"
    return f"{meta}{chr(low)}"


def _word(character: str, *, utf8: bool) -> str:
    numbers = [_number(byte) for byte in _bytes_of(character)]
    return "".join(f"$'{each}'" for each in (["".join(numbers)] if utf8 else numbers))


def _number(byte: int) -> str:
    return _NUMBERED.get(byte, f"\\{byte:03o}")


def _bytes_of(character: str) -> bytes:
    return character.encode(errors="surrogateescape")
