"""An expression's way into the CEL library."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from lineshaft.expression.reading import MACROS, TYPES, Reading
from lineshaft.expression.token import Kind, Token, tokens
from lineshaft.model.errors import ExpressionError

if TYPE_CHECKING:
    from lineshaft.expression.native import Program

ELEMENTS: Final = "_elements"
MAPPED: Final = "_mapped"
MATCHES: Final = "_matches"


def check(text: str, reading: Reading) -> None:
    """Have the library read an expression, and hold what it found against what our reading told.

    A difference would mean that the rules of `reading` were applied to something else than what is evaluated.

    Raises:
        ExpressionError: it is not CEL, or the two differ.
    """
    found = _compile(text).references()
    functions = {name for name in found["functions"] if name[0].isalpha()}
    variables = set(found["variables"]) - reading.bound
    if functions != reading.functions - MACROS - {"has"} or not variables <= reading.names | TYPES:
        raise ExpressionError("The expression uses a function or a name in a way that CEL has not.", 0)


def compiled(text: str) -> "Program":
    """Compile an expression that `check` let pass, with three of our functions put in.

    - `matches` becomes `_matches`: the library's own compiles its pattern at each call, whatever that costs.
    - What a macro goes through becomes `_elements()` of it, which bounds how much that is, and puts the keys
      of a map in order: the library's order changes from one evaluation to the next.
    - What `map` makes of an element becomes `_mapped()` of it, which bounds how much all of them are: the
      library copies those made before with each element.

    Raises:
        ExpressionError: with them it is not CEL any more.
    """
    pieces: list[str] = []
    at = 0
    for edit in sorted(_edits(list(tokens(text)))):
        pieces += (text[at : edit.offset], edit.inserted)
        at = edit.offset + edit.removed
    try:
        return _compile("".join([*pieces, text[at:]]))
    except ExpressionError:
        # The place would be one of the changed text.
        raise ExpressionError("The expression uses a function in a way that CEL has not.", 0) from None


class _Edit(NamedTuple):
    """A change of a text: so many characters are removed at a place, and others put there."""

    offset: int
    removed: int
    inserted: str


def _edits(row: list[Token]) -> Iterator[_Edit]:
    for index, token in enumerate(row[:-1]):
        if token.kind is not Kind.NAME or row[index + 1].text != "(":
            continue
        if token.text == "matches":
            yield _Edit(token.offset, len(token.text), MATCHES)
        elif token.text in MACROS:
            yield _Edit(token.offset, 0, f"{ELEMENTS}().")
            if token.text == "map":
                begin, end = _last_argument(row, index + 1)
                yield _Edit(begin, 0, f"{MAPPED}(")
                yield _Edit(end, 0, ")")


def _last_argument(row: list[Token], opening: int) -> tuple[int, int]:
    """Find where the last argument of a call begins and ends; the brackets are known to fit."""
    depth = 0
    begin = opening
    for index in range(opening, len(row)):
        token = row[index]
        if token.kind is Kind.SIGN and token.text in "([{":
            depth += 1
        elif token.kind is Kind.SIGN and token.text in ")]}":
            depth -= 1
            if depth == 0:
                return row[begin + 1].offset, token.offset
        elif depth == 1 and token.text == ",":
            begin = index
    raise ExpressionError("The expression ends too early.")


def _compile(text: str) -> "Program":
    from lineshaft.expression import native

    try:
        return native.compile(text)
    except ValueError as error:
        raise _syntax_error(text, str(error)) from None
    except BaseException as error:  # A panic of the library's parser is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise ExpressionError("The expression cannot be read.", 0) from None


_SYNTAX: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


def _syntax_error(text: str, message: str) -> ExpressionError:
    match = _SYNTAX.search(message)
    if match is None:
        return ExpressionError("The expression cannot be read.", 0)
    line, column, reason = int(match[1]), int(match[2]), match[3].split(" expecting ")[0]
    lines = text.split("\n")
    # For some errors in macros the library says column 0.
    offset = max(0, min(len(text), sum(len(one) + 1 for one in lines[: max(0, line - 1)]) + column - 1))
    if "<EOF>" in reason:
        return ExpressionError("The expression ends too early.", offset)
    return ExpressionError(f"The expression cannot be read: {reason[:200]}.", offset)
