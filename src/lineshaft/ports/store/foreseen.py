"""Functions for the store that say beforehand what they look at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.ports.store.transaction import Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Foreseen(Generic[T]):
    """A function for `Store.write` that says what it looks at, so that a store reads it for many at once.

    That changes nothing but the time it takes: the function may look at other things, and at none of these.

    Attributes:
        work: the function.
        runs: the runs that it gets.
        workers: the sessions that it gets.
        logs: the attempts to whose logs it appends.
    """

    work: Callable[[Transaction], T]
    runs: tuple[UUID, ...] = ()
    workers: tuple[UUID, ...] = ()
    logs: tuple[AttemptAddress, ...] = ()

    def __call__(self, transaction: Transaction) -> T:
        """Run the function."""
        return self.work(transaction)
