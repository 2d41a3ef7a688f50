"""What is done after a commit, at least once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

SEAL_LOG: Final = "seal_log"
"""The kind of outbox entry that says: this attempt has ended, move its log to the blob store."""

NOTIFY: Final = "notify"
"""The kind of outbox entry that says: tell people how a run has ended (payload: run_id, position)."""

DELETE_BLOBS: Final = "delete_blobs"
"""The kind of outbox entry that says: these blobs are nobody's any more (payload: keys)."""

PUBLISH: Final = "publish"
"""The kind of outbox entry that says: tell other systems what has happened.

Its payload is what `services.publishing` makes of that."""

PUBLISHER: Final = "publisher"
"""The kind of the one outbox entry whose taker publishes; it is never done."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Something that is to leave the transaction: done at least once after the commit.

    Attributes:
        id: UUIDv7, by which a receiver can drop a repeat.
        kind: what is to be done, such as `seal_log`.
        payload: what it is about, as JSON.
        tries: how often it has been tried in vain.
    """

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    tries: int = 0


class Outbox(Protocol):
    """What was committed and is still to be done."""

    def add(self, entry: OutboxEntry, due_at: datetime) -> None:
        """Add an entry, and wake the outbox's topic."""
        ...

    def due(self, now: datetime, limit: int, kinds: Sequence[str] = ()) -> Sequence[OutboxEntry]:
        """List entries that are due, oldest first.

        Args:
            now: by which they are due.
            limit: how many of each of the kinds at most; without kinds, how many in all.
            kinds: which ones are asked for; all of them where none is named.
        """
        ...

    def take(self, entry_id: UUID, now: datetime, until: datetime) -> bool:
        """Make an entry due later, where it is due now: of several that take it at once, one does.

        Returns:
            Whether it was still there, and due.
        """
        ...

    def done(self, entry_ids: Sequence[UUID]) -> None:
        """Remove entries."""
        ...

    def put_off(self, entry_id: UUID, due_at: datetime) -> None:
        """Count a try in vain, and make the entry due later."""
        ...
