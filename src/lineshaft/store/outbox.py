"""The outbox in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update

from lineshaft.ports.store import OutboxEntry
from lineshaft.ports.wakeups import OUTBOX
from lineshaft.store.schema import outbox
from lineshaft.store.session import Session

_IS: Final = outbox.c.id == bindparam("of_id")
_INSERT: Final = insert(outbox)
_SELECT_DUE: Final = (
    select(outbox.c.id, outbox.c.kind, outbox.c.payload, outbox.c.tries)
    .where(outbox.c.due_at <= bindparam("now"))
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(bindparam("at_most"))
)
_DELETE: Final = delete(outbox).where(_IS)
_PUT_OFF: Final = update(outbox).where(_IS).values(tries=outbox.c.tries + 1, due_at=bindparam("until"))


class SqlOutbox:
    """What was committed and is still to be done; see `ports.store.Outbox`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def add(self, entry: OutboxEntry, due_at: datetime) -> None:
        """Add an entry, and wake the outbox's topic."""
        self._session.change()
        values = {
            "id": entry.id,
            "kind": entry.kind,
            "payload": dict(entry.payload),
            "due_at": due_at,
            "tries": entry.tries,
        }
        self._session.connection.execute(_INSERT, values)
        self._session.topics.add(OUTBOX)

    def due(self, now: datetime, limit: int) -> Sequence[OutboxEntry]:
        """List entries that are due, oldest first."""
        self._session.pending.flush()
        rows = self._session.connection.execute(_SELECT_DUE, {"now": now, "at_most": limit})
        return [OutboxEntry(row.id, row.kind, row.payload, row.tries) for row in rows]

    def done(self, entry_ids: Sequence[UUID]) -> None:
        """Remove entries."""
        self._session.change()
        if entry_ids:
            keys = [{"of_id": entry_id} for entry_id in sorted(entry_ids)]
            self._session.connection.execute(_DELETE, keys)

    def put_off(self, entry_id: UUID, due_at: datetime) -> None:
        """Count a try in vain, and make the entry due later."""
        self._session.change()
        self._session.connection.execute(_PUT_OFF, {"of_id": entry_id, "until": due_at})
