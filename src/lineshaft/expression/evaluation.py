"""One evaluation of one compiled expression."""

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from lineshaft.expression.compilation import ELEMENTS, MAPPED, MATCHES
from lineshaft.expression.pattern import regex
from lineshaft.expression.reading import LARGE, MACROS, WHOLE
from lineshaft.expression.scope import VARIABLES, Scope
from lineshaft.expression.value import Copying, Value, checked, plain
from lineshaft.model.errors import ExpressionError

if TYPE_CHECKING:
    from lineshaft.expression.native import Program

_MAX_SEARCHED_CHARACTERS: Final = 1024 * 1024
_MAX_PATTERNS: Final = 16

_MAX_ELEMENTS: Final = 256


class Evaluation:
    """Evaluates once, and is thrown away.

    Args:
        scope: what the names mean.
        fields: the parts of variables that the expression names; of `outputs`, no others are fetched.
    """

    __slots__ = ("_failure", "_fields", "_made", "_patterns", "_scope", "_searched_characters")

    def __init__(self, scope: Scope, fields: Collection[tuple[str, str]]) -> None:
        self._scope = scope
        self._fields = fields
        self._failure: ExpressionError | None = None
        self._made = Copying("What map(...) makes", inside=True)
        self._patterns: set[str] = set()
        self._searched_characters = 0

    def run(self, program: "Program", names: Collection[str], functions: Collection[str]) -> Value:
        """Evaluate a program.

        Args:
            program: the compiled expression.
            names: the variables that it uses; no other is looked at.
            functions: the functions that it uses.

        Raises:
            ExpressionError: whatever goes wrong.
        """
        from lineshaft.expression.native import Context

        context = Context()
        try:
            for name in names:
                context.add_variable(name, self._variable(name))
            for name in functions:
                if name in MACROS:
                    context.add_function(ELEMENTS, self._function(name, Evaluation.elements))
                    context.add_function(MAPPED, self._function(name, Evaluation.mapped))
                elif call := _PROVIDED.get(name):
                    context.add_function(MATCHES if name == "matches" else name, self._function(name, call))
            result = program.execute(context)
        except ExpressionError:
            raise
        except Exception as error:  # noqa: BLE001 - Whatever the library raises, the expression is what fails.
            raise self._failure or _explained(error) from None
        except BaseException as error:  # A panic in the library is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise ExpressionError("The expression cannot be evaluated.") from None
        if self._failure:
            raise self._failure
        return checked(result)

    def _variable(self, name: str) -> object:
        if name == "outputs":
            named = (key for name, key in self._fields if name == "outputs")
            value: object = {node: self._scope.nodes.outputs(node) for node in sorted(named)}
        else:
            value = VARIABLES[name](self._scope)
            if name in LARGE and isinstance(value, dict):
                value = self._asked(name, value)
        return plain(name, value)

    def _asked(self, name: str, value: dict[str, object]) -> dict[str, object]:
        """Take the parts of a variable that the expression names, so that others are in nobody's way."""
        parts = {key for of, key in self._fields if of == name}
        return value if WHOLE in parts else {key: part for key, part in value.items() if key in parts}

    def _function(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        """Make the function that expressions call by the name.

        The library would log what a function raises, and hide its kind; so the first error is kept here, and
        the value that is given back in its place never gets out.
        """

        def guarded(*arguments: object) -> object:
            if self._failure:
                return False
            try:
                return call(self, *(arguments if name in MACROS else _texts(name, arguments)))
            except ExpressionError as error:
                self._failure = error
            except Exception as error:  # noqa: BLE001 - As in `run`.
                self._failure = _explained(error)
            return False

        return guarded

    def elements(self, collection: object) -> list[object]:
        """List what a macro goes through; of a map, its keys in order."""
        match collection:
            case list():
                listed = collection
            case dict():
                listed = sorted(collection, key=lambda key: (type(key).__name__, key))
            case _:
                raise ExpressionError(
                    "Only the elements of a list, or the keys of a map, can be gone through."
                )
        if len(listed) > _MAX_ELEMENTS:
            raise ExpressionError(
                f"The expression goes through {len(listed)} elements; {_MAX_ELEMENTS} are allowed."
            )
        Copying("What the expression goes through", inside=True).copy(listed)
        return listed

    def mapped(self, value: object) -> object:
        """Count what `map` makes of an element."""
        self._made.copy(value)
        return value

    def changed(self, glob: str) -> bool:
        """Tell whether a changed path fits the glob; true where the changes are not known."""
        self._count_pattern(glob)
        return self._scope.changeset is None or self._scope.changeset.fits(glob)

    def matches(self, *texts: str) -> bool:
        """Search a regular expression in the changed paths, or, given a text before it, in that text."""
        pattern = texts[-1]
        self._count_pattern(pattern)
        if len(texts) == 1:
            return self._scope.changeset is None or self._scope.changeset.matches(pattern)
        self._searched_characters += len(texts[0])
        if self._searched_characters > _MAX_SEARCHED_CHARACTERS:
            raise ExpressionError("The expression searches more than 1 MiB of text with regular expressions.")
        return regex(pattern).search(texts[0]) is not None

    def succeeded(self, node: str | None = None) -> bool:
        """Ask whether a node succeeded, or all before this place."""
        return self._scope.nodes.succeeded(node)

    def failed(self, node: str | None = None) -> bool:
        """Ask whether a node failed, or any before this place."""
        return self._scope.nodes.failed(node)

    def always(self) -> bool:
        """Say yes."""
        return True

    def state(self, node: str) -> str:
        """Ask for a node's state."""
        return self._scope.nodes.state(node)

    def _count_pattern(self, pattern: str) -> None:
        self._patterns.add(pattern)
        if len(self._patterns) > _MAX_PATTERNS:
            raise ExpressionError(
                f"The expression uses more than {_MAX_PATTERNS} globs and regular expressions."
            )


_PROVIDED: Final[dict[str, Callable[..., object]]] = {
    "always": Evaluation.always,
    "changed": Evaluation.changed,
    "failed": Evaluation.failed,
    "matches": Evaluation.matches,
    "state": Evaluation.state,
    "succeeded": Evaluation.succeeded,
}

_ARGUMENTS: Final = {
    "always": (0,),
    "changed": (1,),
    "failed": (0, 1),
    "matches": (1, 2),
    "state": (1,),
    "succeeded": (0, 1),
}


def _texts(name: str, arguments: tuple[object, ...]) -> list[str]:
    allowed = _ARGUMENTS[name]
    if len(arguments) not in allowed:
        counts = " or ".join(str(count) for count in allowed)
        raise ExpressionError(f"{name}() takes {counts} texts, and was given {len(arguments)}.")
    texts = [argument for argument in arguments if isinstance(argument, str)]
    if len(texts) != len(arguments):
        raise ExpressionError(f"{name}() takes text only.")
    return texts


def _explained(error: Exception) -> ExpressionError:
    match error:
        case KeyError():
            return ExpressionError(
                f"There is no {str(error)[:200]} where the expression looks; has(...) tells beforehand."
            )
        case ZeroDivisionError():
            return ExpressionError("The expression divides by zero.")
        case OverflowError():
            return ExpressionError("A number in the expression does not fit into 64 bits.")
        case RecursionError():
            return ExpressionError("The expression, or a value in it, is too deep.")
        case _:
            return ExpressionError(f"The expression cannot be evaluated: {_reason(str(error))}.")


_NO_OVERLOAD: Final = re.compile(r"Undefined variable or function: '(\w+)'")


def _reason(message: str) -> str:
    # No name is unknown any more here, so this is how the library says that no function takes such values.
    if match := _NO_OVERLOAD.match(message):
        return f"{match[1]}() does not take these values"
    # The library's first sentence names types or an index; its advice behind is for programmers.
    return message.split(". ", maxsplit=1)[0].split("\n", maxsplit=1)[0][:300].rstrip(".")
