"""Wake-ups: signals that something may have changed, with no content and no promise.

The database is the truth. A wake-up may come late, twice, for nothing, or (across processes) not at all, so
that whoever waits looks at the database first, then waits with a bound, then looks again.
"""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress

QUEUE: Final = "queue"
"""There may be attempts to claim."""

OUTBOX: Final = "outbox"
"""There may be outbox entries to deliver."""

TIMERS: Final = "timers"
"""There may be a timer that is due sooner than those before it."""

SCHEDULES: Final = "schedules"
"""There may be a schedule that is due sooner than those before it."""

DELIVERIES: Final = "deliveries"
"""There may be deliveries to see to."""

STATUSES: Final = "statuses"
"""There may be a status to tell a forge."""

POLLS: Final = "polls"
"""There may be a repository to look at sooner than was known before."""

STOPPING: Final = "stopping"
"""This process is about to stop: whoever waits here should not wait on."""


def run_topic(run_id: UUID) -> str:
    """Name the topic of a run's events."""
    return f"run:{run_id}"


def log_topic(address: AttemptAddress) -> str:
    """Name the topic of an attempt's log."""
    return f"log:{address.run_id}:{address.node}:{address.attempt}"


def upload_topic(upload_id: UUID) -> str:
    """Name the topic of an upload's parts."""
    return f"upload:{upload_id}"


def worker_topic(worker_id: UUID) -> str:
    """Name the topic of what a worker has to be told."""
    return f"worker:{worker_id}"


class Listener(Protocol):
    """Hears one set of topics, from the moment `listen` was entered."""

    async def wait(self, at_most: timedelta) -> bool:
        """Wait until a topic is woken, at once if that happened since the last wait.

        Several wake-ups count as one. One task waits at a time.

        Args:
            at_most: how long to wait.

        Returns:
            Whether it was woken; False when the time was up.
        """
        ...


class WakeUps(Protocol):
    """Carries wake-ups within a process, and between processes where the store can."""

    def listen(self, *topics: str) -> AbstractContextManager[Listener]:
        """Hear topics while the context is open. Look at the database after entering, then wait."""
        ...

    def wake(self, topics: frozenset[str]) -> None:
        """Wake all who hear any of the topics. Called from the event loop's thread only."""
        ...
