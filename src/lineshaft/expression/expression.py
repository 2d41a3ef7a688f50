"""One expression: read, held against the rules, and evaluated."""

import functools
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lineshaft.expression.evaluation import Evaluation
from lineshaft.expression.reading import MACROS, STATUS_FUNCTIONS, TYPES, Reading, read
from lineshaft.expression.scope import Scope
from lineshaft.expression.token import Kind, tokens
from lineshaft.expression.value import Value
from lineshaft.model.errors import ExpressionError

if TYPE_CHECKING:
    from lineshaft.expression.native import Program

_CACHE_SIZE: Final = 4096


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been read; make one with `parse`.

    It holds no state, and compares by its text, so any number of threads may share one.

    Attributes:
        text: as written.
        names: the variables that it uses, such as `branch`.
        functions: the functions that it uses, CEL's own included.
        nodes: the nodes whose outputs it names, as written.
    """

    text: str
    names: frozenset[str] = field(compare=False, repr=False)
    functions: frozenset[str] = field(compare=False, repr=False)
    nodes: frozenset[str] = field(compare=False, repr=False)

    @property
    def needs_status(self) -> bool:
        """Whether an `if` of this text means `succeeded() && (...)`: it asks for no state by itself."""
        return not self.functions & STATUS_FUNCTIONS

    def value(self, scope: Scope) -> Value:
        """Evaluate it; the same scope gives the same value.

        Raises:
            ExpressionError: it cannot be evaluated, or gives more than 64 KiB of text.
        """
        return Evaluation(scope, self.nodes).run(_program(self.text), self.names, self.functions)

    def holds(self, scope: Scope) -> bool:
        """Evaluate it as a condition; `succeeded()` is asked for too when `needs_status`.

        Raises:
            ExpressionError: it cannot be evaluated, or gives neither true nor false.
        """
        if self.needs_status and not scope.nodes.succeeded(None):
            return False
        value = self.value(scope)
        if not isinstance(value, bool):
            kind = _KINDS.get(type(value), "a list or a map")
            raise ExpressionError(f"A condition must be true or false, and this one is {kind}.")
        return value


_KINDS: Final = {type(None): "null", int: "a number", float: "a number", str: "text"}


@functools.lru_cache(maxsize=_CACHE_SIZE)
def parse(text: str) -> Expression:
    """Read an expression.

    Args:
        text: CEL, without `${{ }}`.

    Raises:
        ExpressionError: it is not CEL, uses a name that is not known, or is too long, too deep or too costly;
            `offset` tells where.
    """
    reading = read(text)
    _same_references(reading, _program(text).references())
    return Expression(text, reading.names, reading.functions, reading.nodes)


@functools.lru_cache(maxsize=_CACHE_SIZE)
def _program(text: str) -> "Program":
    from lineshaft.expression import native

    try:
        return native.compile(_with_bounded_matches(text))
    except ValueError as error:
        raise _syntax_error(text, str(error)) from None
    except BaseException as error:  # A panic of the library's parser is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise ExpressionError("The expression cannot be read.", 0) from None


def _with_bounded_matches(text: str) -> str:
    """Have `matches` call our function: the library's own compiles its pattern at each call, at any cost.

    The new name is as long as the old one, so that offsets stay what they are; no expression can say it.
    """
    if "matches" not in text:
        return text
    pieces = list(text)
    row = list(tokens(text))
    for token, following in itertools.pairwise(row):
        if token.kind is Kind.NAME and token.text == "matches" and following.text == "(":
            pieces[token.offset : token.offset + len("matches")] = "matchRE"
    return "".join(pieces)


def _same_references(reading: Reading, found: dict[str, list[str]]) -> None:
    """Hold what the tokens told against what the library read, so that the rules cannot be tricked.

    Raises:
        ExpressionError: the two differ.
    """
    variables = set(found["variables"]) - reading.bound
    functions = {"matches" if name == "matchRE" else name for name in found["functions"] if name[0].isalpha()}
    if not variables <= reading.names | TYPES or functions != reading.functions - MACROS - {"has"}:
        raise ExpressionError("The expression uses a function or a name in a way that CEL has not.", 0)


_SYNTAX: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


def _syntax_error(text: str, message: str) -> ExpressionError:
    match = _SYNTAX.search(message)
    if match is None:
        return ExpressionError("The expression cannot be read.", 0)
    line, column = int(match[1]), int(match[2])
    lines = text.split("\n")
    offset = min(len(text), sum(len(one) + 1 for one in lines[: line - 1]) + column - 1)
    reason = match[3].split(" expecting ")[0].replace("'<EOF>'", "its end")
    return ExpressionError(f"The expression cannot be read: {reason[:200]}.", offset)
