"""The worker keys that were made by the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.worker_key import WorkerKey


class WorkerKeys(Protocol):
    """The worker keys that were made by the API."""

    def add(self, key: WorkerKey) -> bool:
        """Add one; False when there is one of its name."""
        ...

    def of_hash(self, key_hash: str) -> WorkerKey | None:
        """Find one by the SHA-256 of the key, in hexadecimal."""
        ...

    def get(self, key_id: UUID) -> WorkerKey | None:
        """Find one by its id."""
        ...

    def used(self, key_id: UUID, at: datetime) -> None:
        """Note that a worker registered with it."""
        ...

    def remove(self, key_id: UUID) -> bool:
        """Remove one; False when there is none of that id."""
        ...

    def all(self) -> Sequence[WorkerKey]:
        """List them, by name."""
        ...
