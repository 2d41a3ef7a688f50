"""The decorator that makes a driver of a function or of a class."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar, overload

from lineshaft.model.errors import InvalidInputError
from lineshaft.model.known_driver import ALL_EVENTS, DEFAULT_TIMEOUT
from lineshaft.sdk.driver.declaration import Declaration, checked_name, declaration
from lineshaft.sdk.driver.result import Answer
from lineshaft.sdk.driver.task import Task

_MARK: Final = "__lineshaft_driver__"
"""The attribute of a decorated function or class that holds its `Declaration`."""

Reconcile = Callable[[Task], Answer | Awaitable[Answer]]
"""What does a driver's work: an async function, or a plain one, which runs in a thread."""


class Reconciler(Protocol):
    """A driver as an object, which serves all tasks."""

    def reconcile(self, task: Task, /) -> Answer | Awaitable[Answer]:
        """Do the work of a task; as a plain method, in a thread."""
        ...


F = TypeVar("F", bound=Reconcile)
C = TypeVar("C", bound=Reconciler)


class Decorator(Protocol):
    """Declares a function or a class to be a driver, and leaves it what it was."""

    @overload
    def __call__(self, thing: type[C], /) -> type[C]: ...

    @overload
    def __call__(self, thing: F, /) -> F: ...


def driver(
    name: str,
    *,
    resources: Iterable[str] = (),
    events: Iterable[str] = (ALL_EVENTS,),
    concurrency: int = 1,
    timeout: timedelta = DEFAULT_TIMEOUT,
    retries: int = 0,
    idempotent: bool = True,
) -> Decorator:
    """Declare an async function, a plain one, or a class with a method `reconcile` to be a driver.

    What is decorated stays what it was, and can be called as before. The first paragraph of its docstring
    describes the driver to people.

    Args:
        name: what `driver:` in pipelines says.
        resources: the types whose changes it gets where no pipeline carries them.
        events: which of these changes it gets, and which broadcasts; all where it does not say.
        concurrency: how many tasks it does at once.
        timeout: how long it may take over a change that no pipeline carries to it.
        retries: how often such a change is tried again after a failure or a time-out.
        idempotent: whether a task may begin again although it may have happened, after a program died.

    Raises:
        InvalidInputError: an argument makes no sense, or what is decorated can be no driver.
    """
    checked_name(name)

    def declare(thing: Any, /) -> Any:
        _refuse_misfit(thing)
        said = declaration(
            thing,
            name=name,
            resources=resources,
            events=events,
            concurrency=concurrency,
            timeout=timeout,
            retries=retries,
            idempotent=idempotent,
        )
        setattr(thing, _MARK, said)
        return thing

    return declare


@dataclass(frozen=True, slots=True)
class Registered:
    """A driver that is ready to be served.

    Attributes:
        declaration: what it says of itself.
        reconcile: does the work.
        is_async: whether that is an async function.
    """

    declaration: Declaration
    reconcile: Callable[[Task], Any]
    is_async: bool

    @property
    def name(self) -> str:
        """The driver's name."""
        return self.declaration.driver.name


def registered(thing: object) -> Registered:
    """Make a driver ready: a decorated function, a decorated class, or an object of one.

    Raises:
        InvalidInputError: it is no driver, or a class of which no object can be made without arguments.
    """
    said = getattr(thing, _MARK, None)
    if not isinstance(said, Declaration):
        raise InvalidInputError(
            f"{thing!r} is no driver.",
            advice='Write @driver(name="...") above the function or class, and hand that over.',
        )
    if inspect.isclass(thing):
        thing = _object_of(thing)
    reconcile = thing if inspect.isroutine(thing) else getattr(thing, "reconcile", thing)
    if not callable(reconcile):
        raise InvalidInputError(f"{thing!r} has no method `reconcile` that could do a task.")
    return Registered(said, reconcile, _is_async(reconcile))


def _object_of(made: type[Any]) -> object:
    try:
        inspect.signature(made).bind()
    except TypeError as error:
        raise InvalidInputError(
            f"The driver class {made.__qualname__} cannot be made without arguments ({error}).",
            advice=f"Make the object yourself, and hand that over: serve({made.__qualname__}(...)).",
        ) from None
    except ValueError:
        pass  # Its signature cannot be told, as with some classes of C.
    return made()


def _is_async(reconcile: Any) -> bool:
    return inspect.iscoroutinefunction(reconcile) or inspect.iscoroutinefunction(
        getattr(reconcile, "__call__", None)  # noqa: B004 - an object may have an async one.
    )


def _refuse_misfit(thing: Any) -> None:
    """Refuse what can do no task."""
    if inspect.isclass(thing):
        does = getattr(thing, "reconcile", None)
        if not callable(does):
            raise InvalidInputError(
                f"The class {thing.__qualname__} has no method `reconcile(self, task)`, which does the tasks."
            )
        count, shape = 2, "reconcile(self, task)"
    else:
        if not callable(thing):
            raise InvalidInputError(
                f"@driver stands above a function or a class, and not above {thing!r}.",
            )
        does, count, shape = thing, 1, "a function of one argument, the task"
    if inspect.isgeneratorfunction(does) or inspect.isasyncgenfunction(does):
        raise InvalidInputError("A driver returns its result; it cannot `yield`.")
    if isinstance(thing, staticmethod | classmethod) or not _takes(does, count):
        raise InvalidInputError(f"What @driver stands above is to be called with a task alone: {shape}.")


def _takes(function: Any, count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        return True  # Its signature cannot be told.
    return True
