"""An expression's way into the CEL library."""

import re
from typing import TYPE_CHECKING, Final

from lineshaft.expression.reading import MACROS, TYPES, Reading
from lineshaft.expression.token import Kind, Token, tokens
from lineshaft.model.errors import ExpressionError

if TYPE_CHECKING:
    from lineshaft.expression.native import Program

ELEMENTS: Final = "_elements"
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
    """Compile an expression that `check` let pass, with two of our functions put in.

    - `matches` becomes `_matches`: the library's own compiles its pattern at each call, whatever that costs.
    - What a macro goes through becomes `_elements()` of it, which bounds how much that is, and puts the keys
      of a map in order: the library's order changes from one evaluation to the next.
    """
    pieces: list[str] = []
    at = 0
    row = list(tokens(text))
    for index, token in enumerate(row):
        if token.kind is not Kind.NAME or not _is_called(row, index):
            continue
        if token.text == "matches":
            pieces += (text[at : token.offset], MATCHES)
            at = token.offset + len(token.text)
        elif token.text in MACROS and index and row[index - 1].text == ".":
            pieces += (text[at : token.offset], ELEMENTS, "().")
            at = token.offset
    return _compile("".join([*pieces, text[at:]]))


def _is_called(row: list[Token], index: int) -> bool:
    return index + 1 < len(row) and row[index + 1].text == "("


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
