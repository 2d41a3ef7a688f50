"""The store: transactions over a database, SQLite or PostgreSQL."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from lineshaft.model.event import RunEvent
from lineshaft.model.run import Run
from lineshaft.ports.store import Transaction
from lineshaft.ports.wakeups import WakeUps
from lineshaft.store.backoff import Backoff
from lineshaft.store.commit import Committed, Work, commit_together, read_one
from lineshaft.store.database import Database
from lineshaft.store.group_commit import GroupCommit
from lineshaft.store.retry import retried
from lineshaft.store.session import Memory
from lineshaft.store.wakeups import LocalWakeUps

T = TypeVar("T")


class SqlStore:
    """State in a database; see `ports.store.Store`."""

    def __init__(self, database: Database, memory: Memory, wakeups: LocalWakeUps, backoff: Backoff) -> None:
        """Serve a database whose tables are there; to be called within the event loop."""
        self._database = database
        self._memory = memory
        self._wakeups = wakeups
        self._backoff = backoff
        self._group = GroupCommit(self._commit, wakeups.wake, backoff)

    @property
    def wakeups(self) -> WakeUps:
        """The wake-ups that this store's commits send."""
        return self._wakeups

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a function in a transaction and return its result once that has committed."""
        return await self._group.write(work)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function that only reads, on a consistent view of what was committed before the call."""
        read = partial(read_one, work=work, memory=self._memory)
        return await retried(lambda: self._database.read(read), self._backoff)

    def recent(self, run_id: UUID) -> Run | None:
        """Return the run as last committed, at once and from memory; None where memory cannot know that."""
        return self._memory.runs.get(run_id) if self._memory.sole_writer else None

    def recent_events(self, run_id: UUID, after: int) -> Sequence[RunEvent] | None:
        """List a run's events with numbers above `after`, at once and from memory; None as for `recent`."""
        return self._memory.runs.events(run_id, after) if self._memory.sole_writer else None

    async def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        await self._group.close()
        await self._database.close()

    async def _commit(self, works: Sequence[Work[Any]], *, locking: bool) -> Committed:
        return await self._database.write(
            lambda connection: commit_together(
                connection, works, self._memory, self._database.announce, locking=locking
            )
        )
