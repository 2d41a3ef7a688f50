"""How much work one document may make."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_LEFT: Final[ContextVar[list[int]]] = ContextVar("steps_left")


class TooMuchError(Exception):
    """More work is asked for than is done."""


@contextmanager
def allowed(steps: int) -> Iterator[None]:
    """Let what is done in this context spend so many steps."""
    token = _LEFT.set([steps])
    try:
        yield
    finally:
        _LEFT.reset(token)


def spend(steps: int) -> None:
    """Spend some of the steps that are left.

    Raises:
        TooMuchError: there are not so many.
    """
    left = _LEFT.get()
    left[0] -= steps
    if left[0] < 0:
        raise TooMuchError
