"""The outbox in the database."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CompoundSelect, Select, bindparam, delete, insert, select, union_all, update

from lineshaft.ports.store import OutboxEntry
from lineshaft.ports.wakeups import OUTBOX
from lineshaft.store.schema import outbox
from lineshaft.store.session import Session

_IS: Final = outbox.c.id == bindparam("of_id")
_INSERT: Final = insert(outbox)
_DELETE: Final = delete(outbox).where(_IS)
_PUT_OFF: Final = update(outbox).where(_IS).values(tries=outbox.c.tries + 1, due_at=bindparam("until"))
_TAKE: Final = (
    update(outbox).where(_IS, outbox.c.due_at <= bindparam("now")).values(due_at=bindparam("until"))
)


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

    def due(self, now: datetime, limit: int, kinds: Sequence[str] = ()) -> Sequence[OutboxEntry]:
        """List entries that are due, oldest first."""
        self._session.pending.flush()
        values = {"now": now, "at_most": limit, **{f"kind_{at}": kind for at, kind in enumerate(kinds)}}
        rows = self._session.connection.execute(due_statement(len(kinds)), values)
        oldest_first = sorted(rows, key=lambda row: (row.due_at, row.id))
        return [OutboxEntry(row.id, row.kind, row.payload, row.tries) for row in oldest_first]

    def take(self, entry_id: UUID, now: datetime, until: datetime) -> bool:
        """Make an entry due later, where it is due now."""
        self._session.change()
        values = {"of_id": entry_id, "now": now, "until": until}
        return self._session.connection.execute(_TAKE, values).rowcount == 1

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


@cache
def due_statement(kinds: int) -> Select[Any] | CompoundSelect[Any]:
    """Make the statement that asks for the oldest entries of a number of kinds, in one round trip."""
    oldest = (
        select(outbox)
        .where(outbox.c.due_at <= bindparam("now"))
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(bindparam("at_most"))
    )
    of_kinds = [oldest.where(outbox.c.kind == bindparam(f"kind_{at}")).subquery() for at in range(kinds)]
    return union_all(*(select(each) for each in of_kinds)) if kinds else oldest
