"""The store itself: it runs functions in transactions."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from lineshaft.model.event import RunEvent
from lineshaft.model.run import Run
from lineshaft.ports.store.transaction import Transaction
from lineshaft.ports.wakeups import WakeUps

T = TypeVar("T")


class Store(Protocol):
    """State that survives; see the package's docstring for what a function given to it may do."""

    @property
    def wakeups(self) -> WakeUps:
        """The wake-ups that this store's commits send."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a function in a transaction and return its result once that has committed.

        Raises:
            StoreUnavailableError: the database does not answer, or conflicts did not end.
            Exception: whatever the function raised; nothing that it did was kept.
        """
        ...

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function that only reads, on a consistent view of what was committed before the call.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        ...

    def recent(self, run_id: UUID) -> Run | None:
        """Return the run as last committed, at once and from memory; None where memory cannot know that.

        Only a store to which no other process writes can answer.
        """
        ...

    def recent_events(self, run_id: UUID, after: int) -> Sequence[RunEvent] | None:
        """Return a run's events with numbers above `after`, ascending, at once and from memory.

        None where memory cannot know them all, as for `recent`, or holds only later ones.
        """
        ...

    async def close(self) -> None:
        """Finish what was accepted and let go of the database. Called once, last."""
        ...
