"""What an expression refers to, and whether it keeps the rules that bound its cost.

The CEL library runs a program to its end, whatever that takes, and its parser goes as deep as the text does.
So these rules are held here, on the tokens, before the library sees the text:

- brackets nest at most 32 deep, because the parser calls itself for each;
- at most 64 `+`, because each copies what stands left of it;
- `all`, `exists`, `exists_one`, `filter` and `map` do not stand inside each other, nothing is added inside
  them, and no list or map is built inside a `map`: so nothing grows by a factor more than once;
- there are at most 8 of them, with at most 256 characters each in its brackets, because these are evaluated
  anew for each element.
"""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from lineshaft.expression.scope import VARIABLES
from lineshaft.expression.token import Kind, Token, tokens
from lineshaft.model.errors import ExpressionError

MAX_CHARACTERS: Final = 4096
MAX_DEPTH: Final = 32
MAX_ADDITIONS: Final = 64
MAX_MACROS: Final = 8
MAX_MACRO_CHARACTERS: Final = 256

STATUS_FUNCTIONS: Final = frozenset({"succeeded", "failed", "always", "state"})
MACROS: Final = frozenset({"all", "exists", "exists_one", "filter", "map"})
# fmt: off
FUNCTIONS: Final = STATUS_FUNCTIONS | MACROS | {
    "changed", "matches", "has", "size", "contains", "startsWith", "endsWith",
    "int", "uint", "double", "string", "bytes", "timestamp", "duration", "type", "dyn",
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
    "getHours", "getMinutes", "getSeconds", "getMilliseconds",
}
TYPES: Final = frozenset({
    "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint",
})
_WORDS: Final = frozenset({"true", "false", "null", "in"})
# fmt: on
NAMES: Final = frozenset(VARIABLES) | {"outputs"}
_KEYS: Final = {
    "commit": frozenset({"sha", "short", "message", "author"}),
    "pipeline": frozenset({"name", "metadata"}),
    "resource": frozenset({"type", "name", "version", "event", "spec", "metadata"}),
    "upstream": frozenset({"name", "run", "number", "state", "branch", "tag", "commit", "outputs"}),
    "run": frozenset({"id", "number", "trace", "state", "reason", "url"}),
}
LARGE: Final = frozenset({"pipeline", "resource"})
"""The variables of which parts may be larger than an expression takes."""

WHOLE: Final = ""
"""Stands for all parts of one of these, where an expression does not write out which."""

_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What an expression refers to.

    Attributes:
        names: the variables of the scope.
        functions: the functions, CEL's own included.
        fields: the parts of variables that it names, such as `("inputs", "level")` or `("outputs", "x")`.
        asked: the nodes whose state it asks for by a plain name.
        bound: the names that `all`, `exists`, `exists_one`, `filter` and `map` give to elements.
    """

    names: frozenset[str]
    functions: frozenset[str]
    fields: frozenset[tuple[str, str]]
    asked: frozenset[str]
    bound: frozenset[str]


@dataclass(slots=True)
class _Bracket:
    """An open bracket.

    Attributes:
        token: the sign.
        macro: the macro that it belongs to; empty for any other.
        bound: the name that the macro gives to elements.
    """

    token: Token
    macro: str = ""
    bound: str = ""


@dataclass(slots=True)
class _Reader:
    """Goes through the tokens once."""

    row: Sequence[Token]
    open: list[_Bracket] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    fields: set[tuple[str, str]] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    additions: int = 0
    macros: int = 0

    def sign(self, index: int) -> str:
        """Give the sign at a place of the row; empty where none is."""
        if 0 <= index < len(self.row) and self.row[index].kind is Kind.SIGN:
            return self.row[index].text
        return ""

    def macro(self) -> _Bracket | None:
        """Find the macro around this place; there is at most one."""
        return next((bracket for bracket in self.open if bracket.macro), None)

    def read(self) -> Reading:
        """Go through the row.

        Raises:
            ExpressionError: a name is not known, or a rule is broken.
        """
        for index, token in enumerate(self.row):
            match token.kind:
                case Kind.UNKNOWN:
                    if token.text in "\"'":
                        _refuse(token, "Nothing closes this quotation mark.")
                    _refuse(token, f"No expression can have {token.text!r} here.")
                case Kind.SIGN:
                    self.read_sign(index, token)
                case Kind.NAME:
                    self.read_name(index, token)
                case Kind.STRING | Kind.NUMBER:
                    pass
        return Reading(
            names=frozenset(self.names),
            functions=frozenset(self.functions),
            fields=frozenset(self.fields),
            asked=frozenset(self.asked),
            bound=frozenset(self.bound),
        )

    def read_sign(self, index: int, token: Token) -> None:
        match token.text:
            case "(" | "[" | "{":
                self.open_bracket(index, token)
            case ")" | "]" | "}":
                self.close_bracket(token)
            case "+":
                self.additions += 1
                if self.additions > MAX_ADDITIONS:
                    _refuse(token, f"An expression may have {MAX_ADDITIONS} `+` at most.")
                if around := self.macro():
                    _refuse(token, f"Nothing may be added inside of {around.macro}(...).")
            case _:
                pass

    def close_bracket(self, token: Token) -> None:
        closed = self.open.pop() if self.open else None
        if closed is None or _CLOSING[closed.token.text] != token.text:
            _refuse(token, f"Nothing is open that this {token.text} could close.")
        if closed.macro and token.offset - closed.token.offset > MAX_MACRO_CHARACTERS:
            _refuse(
                closed.token,
                f"In the brackets of {closed.macro}(...) {MAX_MACRO_CHARACTERS} characters are allowed.",
            )

    def open_bracket(self, index: int, token: Token) -> None:
        if len(self.open) >= MAX_DEPTH:
            _refuse(token, f"Brackets may stand {MAX_DEPTH} deep in each other at most.")
        around = self.macro()
        if around and around.macro == "map" and self.builds(index):
            _refuse(token, "No list or map may be built inside of map(...).")
        bracket = _Bracket(token)
        before = self.row[index - 1] if index else None
        if token.text == "(" and before and before.kind is Kind.NAME and before.text in MACROS:
            if around:
                _refuse(before, f"{before.text}(...) may not stand inside of {around.macro}(...).")
            self.macros += 1
            if self.macros > MAX_MACROS:
                _refuse(before, f"An expression may go through lists or maps {MAX_MACROS} times at most.")
            bracket.macro = before.text
            bracket.bound = self.element_name(index)
        self.open.append(bracket)

    def element_name(self, index: int) -> str:
        """Read the name that a macro gives to elements, which stands behind its bracket."""
        following = self.row[index + 1] if index + 1 < len(self.row) else None
        if following is None or following.kind is not Kind.NAME or self.sign(index + 2) != ",":
            return ""
        if following.text in NAMES or following.text in _WORDS or following.text in TYPES:
            _refuse(following, f"{following.text} is taken; name the element otherwise.")
        self.bound.add(following.text)
        return following.text

    def builds(self, index: int) -> bool:
        """Tell a bracket that builds a list or a map from one that asks for an element or calls."""
        token = self.row[index]
        if token.text == "{":
            return True
        before = self.row[index - 1]
        asks = before.kind in (Kind.NAME, Kind.STRING) and before.text != "in"
        return token.text == "[" and not asks and self.sign(index - 1) not in (")", "]", "}")

    def read_name(self, index: int, token: Token) -> None:
        if self.sign(index - 1) == "." and not self.ends_value(index - 2):
            _refuse(self.row[index - 1], "No name may begin with a point.")
        if self.sign(index + 1) == "(":
            if token.text not in FUNCTIONS:
                _refuse_unknown("function", token, FUNCTIONS)
            if token.text in MACROS and self.sign(index - 1) != ".":
                _refuse(token, f"Write LIST.{token.text}(...).")
            self.functions.add(token.text)
            one = self.row[index + 2] if self.sign(index + 3) == ")" else None
            if token.text in STATUS_FUNCTIONS and one and (node := plain_text(one)):
                self.asked.add(node)
        elif self.sign(index - 1) == ".":
            pass
        elif token.text in NAMES:
            self.read_variable(index, token)
        elif token.text not in _WORDS | TYPES and not any(one.bound == token.text for one in self.open):
            _refuse_unknown("name", token, NAMES)

    def ends_value(self, index: int) -> bool:
        """Tell whether what stands at a place may be the end of a value."""
        if index < 0 or self.row[index].text == "in":
            return False
        return self.row[index].kind is not Kind.SIGN or self.sign(index) in (")", "]", "}")

    def read_variable(self, index: int, token: Token) -> None:
        """Read a variable of the scope, and which part of it is asked for where that is written out."""
        self.names.add(token.text)
        key = self.key(index)
        if key is None and token.text == "outputs":
            _refuse(
                token,
                'Write outputs.NODE.NAME, or outputs["PATH"].NAME with the name or path as plain text.',
            )
        if key is None:
            if token.text in LARGE:
                self.fields.add((token.text, WHOLE))
            return
        name, place = key
        known = _KEYS.get(token.text)
        if known and name not in known:
            _refuse_unknown(f"part of {token.text}", place, known, name)
        if not known or token.text in LARGE:
            self.fields.add((token.text, name))

    def key(self, index: int) -> tuple[str, Token] | None:
        """Read the key behind a name, as in `outputs.build` or `outputs["test/unit"]`; None: none is."""
        following = self.row[index + 2] if index + 2 < len(self.row) else None
        if following is None:
            return None
        if self.sign(index + 1) == "." and following.kind is Kind.NAME and self.sign(index + 3) != "(":
            return following.text, following
        if self.sign(index + 1) == "[" and self.sign(index + 3) == "]":
            name = plain_text(following)
            return None if name is None else (name, following)
        return None


def plain_text(token: Token) -> str | None:
    """Give what a text in quotation marks says, when that is what stands there; None for any other token."""
    said = token.text[1:-1]
    if token.kind is not Kind.STRING or token.text[0] not in "\"'" or not said:
        return None
    return None if "\\" in said or said[0] in "\"'" else said


def read(text: str) -> Reading:
    """Read what an expression refers to.

    Args:
        text: the expression; whether it is CEL at all only the library can tell.

    Raises:
        ExpressionError: it is too long, a name is not known, or a rule is broken.
    """
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(
            f"The expression has {len(text)} characters; {MAX_CHARACTERS} are allowed.", MAX_CHARACTERS
        )
    if not text.strip():
        raise ExpressionError("The expression is empty.", 0)
    return _Reader(list(tokens(text))).read()


def _refuse(token: Token, message: str) -> NoReturn:
    raise ExpressionError(message, token.offset)


def _refuse_unknown(kind: str, token: Token, known: Collection[str], name: str = "") -> NoReturn:
    name = name or token.text
    near = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f' Did you mean "{near[0]}"?' if near else f" Known are {', '.join(sorted(known))}."
    _refuse(token, f'No {kind} "{name[:80]}" is known.{hint}')
