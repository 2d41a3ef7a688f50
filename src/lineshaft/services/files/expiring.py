"""Kept files go: those whose time is over, those that nobody uses, and uploads that were never ended."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Protocol, TypeVar

from lineshaft.ports.store import Transaction
from lineshaft.services.files.limits import FileLimits

T = TypeVar("T")

_AT_ONCE: Final = 500


class Do(Protocol):
    """Runs a function in a transaction, and pauses behind it."""

    def __call__(self, work: Callable[[Transaction], T]) -> Awaitable[T]:
        """Run it, and return what it returned."""
        ...


class FileExpiry:
    """Lets go what is no longer kept, and removes it some parts at a time; several processes may do so."""

    def __init__(self, limits: FileLimits) -> None:
        self._limits = limits

    async def go_round(self, do: Do, now: datetime) -> None:
        """Remove all that is not kept.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        unused_since = now - self._limits.caches_for
        for some in (
            lambda transaction: transaction.artifacts.expire(now, _AT_ONCE),
            lambda transaction: transaction.artifacts.abandon(_AT_ONCE),
            lambda transaction: transaction.caches.remove_unused(unused_since, _AT_ONCE),
            lambda transaction: transaction.caches.remove_of_deleted_pipelines(_AT_ONCE),
        ):
            while await do(some) >= _AT_ONCE:
                pass
        while not await do(lambda transaction: transaction.artifacts.sweep(now, _AT_ONCE)):
            pass
