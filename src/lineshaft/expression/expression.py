"""One expression: read, held against the rules, and evaluated."""

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lineshaft.expression.compilation import check, compiled
from lineshaft.expression.evaluation import Evaluation
from lineshaft.expression.reading import STATUS_FUNCTIONS, read
from lineshaft.expression.scope import Scope
from lineshaft.expression.value import Value
from lineshaft.model.errors import ExpressionError

if TYPE_CHECKING:
    from lineshaft.expression.native import Program

# A hostile expression of full length takes a quarter of a megabyte once compiled, others a few kilobytes.
_CACHE_SIZE: Final = 1024


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
    check(text, reading)
    return Expression(text, reading.names, reading.functions, reading.nodes)


@functools.lru_cache(maxsize=_CACHE_SIZE)
def _program(text: str) -> "Program":
    return compiled(text)
