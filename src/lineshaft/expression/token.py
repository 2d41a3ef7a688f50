"""The words and signs of an expression, with their places.

The lexical rules are those of https://github.com/cel-expr/cel-spec/blob/master/doc/langdef.md ("Syntax").
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


class Kind(enum.Enum):
    """What a token is."""

    NAME = enum.auto()
    STRING = enum.auto()
    NUMBER = enum.auto()
    SIGN = enum.auto()
    UNKNOWN = enum.auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign.

    Attributes:
        kind: what it is.
        text: it, as written.
        offset: where it begins, in characters from 0.
    """

    kind: Kind
    text: str
    offset: int


# Each alternative decides by its first characters and never goes back far, so that this takes linear time.
_TOKEN: Final = re.compile(
    r"""
      (?P<skip>    [ \t\r\n\f]+ | //[^\r\n]* )
    | (?P<raw>     [bB]?[rR] (?: \"{3}.*?\"{3} | '{3}.*?'{3} | "[^"\r\n]*" | '[^'\r\n]*' ) )
    | (?P<string>  [bB]? (?: \"{3}(?:[^\\]|\\.)*?\"{3} | '{3}(?:[^\\]|\\.)*?'{3}
                           | "(?:[^\\"\r\n]|\\.)*" | '(?:[^\\'\r\n]|\\.)*' ) )
    | (?P<number>  0x[0-9a-fA-F]+u? | [0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[uU]?
                   | \.[0-9]+(?:[eE][+-]?[0-9]+)? )
    | (?P<name>    [A-Za-z_][A-Za-z0-9_]* )
    | (?P<sign>    && | \|\| | [=!<>]= | [-+*/%<>!?:.,()\[\]{}] )
    """,
    re.VERBOSE | re.DOTALL,
)

_KINDS: Final = {
    "raw": Kind.STRING,
    "string": Kind.STRING,
    "number": Kind.NUMBER,
    "name": Kind.NAME,
    "sign": Kind.SIGN,
}


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """Take a text apart from `start` on; a character that begins no token comes as `UNKNOWN`."""
    offset = start
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            yield Token(Kind.UNKNOWN, text[offset], offset)
            offset += 1
            continue
        if match.lastgroup and (kind := _KINDS.get(match.lastgroup)):
            yield Token(kind, match.group(), offset)
        offset = match.end()
