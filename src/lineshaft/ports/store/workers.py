"""The workers that have registered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.worker import Worker


class Workers(Protocol):
    """The workers that have registered."""

    def register(self, worker: Worker) -> UUID | None:
        """Add a session; returns the id of the session of the same name that it takes the place of."""
        ...

    def get(self, worker_id: UUID) -> Worker | None:
        """Find a living session."""
        ...

    def named(self, name: str) -> Worker | None:
        """Find a living session by its worker's name."""
        ...

    def seen(self, worker_id: UUID, at: datetime, load: float | None = None) -> None:
        """Note that it was heard of, and how busy its host is."""
        ...

    def drain(self, worker_id: UUID) -> None:
        """Note that it is to take no more, and wake its topic."""
        ...

    def remove(self, worker_id: UUID) -> None:
        """Forget a session, which holds no lease any more."""
        ...

    def all(self) -> Sequence[Worker]:
        """List the sessions, by name."""
        ...
