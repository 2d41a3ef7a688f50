"""Text with `${{ }}` in it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lineshaft.expression.expression import Expression, parse
from lineshaft.expression.reading import MAX_CHARACTERS
from lineshaft.expression.scope import Scope
from lineshaft.expression.token import Kind, tokens
from lineshaft.expression.value import MAX_TEXT_BYTES, Value, as_text, bounded_text
from lineshaft.model.errors import ExpressionError

MAX_EXPRESSIONS: Final = 256
_OPENING: Final = "${{"
_CLOSING: Final = "}}"
_ESCAPED: Final = "$${{"


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in it; make one with `parse_template`.

    Attributes:
        text: as written.
        parts: plain texts and expressions, in order.
    """

    text: str
    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions in it, in order."""
        return tuple(part for part in self.parts if isinstance(part, Expression))

    def render(self, scope: Scope, quoted: Callable[[str], str] | None = None) -> str:
        """Write it with the expressions' values as text; `as_text` says how each kind of value looks.

        Args:
            scope: what the names mean.
            quoted: writes a value's text so that it is nothing but text where the template's own text is
                more than that, as in HTML.

        Raises:
            ExpressionError: an expression cannot be evaluated, or the text would be over 64 KiB.
        """
        quoted = quoted or str
        if not self.expressions:
            return "".join(part for part in self.parts if isinstance(part, str))
        pieces: list[str] = []
        characters = 0
        for part in self.parts:
            piece = part if isinstance(part, str) else quoted(as_text(part.value(scope)))
            pieces.append(piece)
            characters += len(piece)
            if characters > MAX_TEXT_BYTES:
                break
        return bounded_text("".join(pieces), "The text")

    def value(self, scope: Scope) -> Value:
        """Evaluate it: when it is nothing but one expression, its value with its type, otherwise the text.

        Raises:
            ExpressionError: as for `render`.
        """
        match self.parts:
            case (Expression() as only,):
                return only.value(scope)
            case _:
                return self.render(scope)


def has_expressions(text: str) -> bool:
    """Tell, fast, whether a text must go through `parse_template`; an escaped `$${{` counts too."""
    return _OPENING in text


def parse_template(text: str) -> Template:
    """Read a text with `${{ }}` in it; `$${{` stands for a plain `${{`.

    Args:
        text: any text.

    Raises:
        ExpressionError: an expression in it cannot be read, or is not closed; `offset` counts from the text's
            beginning.
    """
    if not has_expressions(text):
        return Template(text, (text,) if text else ())
    return _remembered(text) if len(text) <= MAX_CHARACTERS else _read(text)


@functools.lru_cache(maxsize=1024)
def _remembered(text: str) -> Template:
    return _read(text)


def _read(text: str) -> Template:
    parts: list[str | Expression] = []
    plain: list[str] = []
    at = count = 0
    while (found := text.find(_OPENING, at)) >= 0:
        if text.startswith(_ESCAPED, found - 1) and found > at:
            plain.append(text[at : found - 1] + _OPENING)
            at = found + len(_OPENING)
            continue
        plain.append(text[at:found])
        begin = found + len(_OPENING)
        end = _end(text, begin)
        if before := "".join(plain):
            parts.append(before)
            plain = []
        count += 1
        if count > MAX_EXPRESSIONS:
            raise ExpressionError(f"One text may have {MAX_EXPRESSIONS} expressions at most.", found)
        parts.append(_parse_part(text[begin:end], begin))
        at = end + len(_CLOSING)
    if after := "".join([*plain, text[at:]]):
        parts.append(after)
    return Template(text, tuple(parts))


def _end(text: str, begin: int) -> int:
    """Find the `}}` that closes an expression: not one in a text, nor one that closes its maps.

    Raises:
        ExpressionError: there is none.
    """
    window = text[begin : begin + MAX_CHARACTERS + len(_CLOSING)]
    depth = 0
    for token in tokens(window):
        if token.kind is not Kind.SIGN:
            continue
        if token.text == "{":
            depth += 1
        elif token.text == "}":
            if depth == 0 and window.startswith(_CLOSING, token.offset):
                return begin + token.offset
            depth -= 1
    nearest = text.find(_CLOSING, begin)
    if 0 <= nearest <= begin + MAX_CHARACTERS:
        # It is closed, but something in it, such as a quotation mark, is not; the parser says what.
        return nearest
    raise ExpressionError(
        f"Nothing closes this ${{{{ within {MAX_CHARACTERS} characters; write $${{{{ for the plain signs.",
        begin - len(_OPENING),
    )


def _parse_part(text: str, begin: int) -> Expression:
    leading = len(text) - len(text.lstrip())
    try:
        return parse(text.strip())
    except ExpressionError as error:
        offset = begin + leading + (error.offset or 0)
        raise ExpressionError(error.message, min(offset, begin + len(text))) from None
