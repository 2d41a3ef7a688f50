"""Worker keys in the database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from lineshaft.model.worker_key import WorkerKey
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import worker_keys
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep

_IS: Final = worker_keys.c.id == bindparam("of_id")
_SELECT: Final = Prepared(select(worker_keys).where(_IS))
_SELECT_OF_HASH: Final = Prepared(select(worker_keys).where(worker_keys.c.hash == bindparam("of_hash")))
_SELECT_ALL: Final = Prepared(select(worker_keys).order_by(worker_keys.c.name))
_INSERT: Final = insert_or_keep(worker_keys, "name")
_USED: Final = update(worker_keys).where(_IS).values(last_used_at=bindparam("at"))
_DELETE: Final = delete(worker_keys).where(_IS)


class SqlWorkerKeys:
    """The worker keys that were made by the API; see `ports.store.WorkerKeys`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def add(self, key: WorkerKey) -> bool:
        """Add one; False when there is one of its name."""
        self._session.change()
        values = {column.name: getattr(key, column.name) for column in worker_keys.columns}
        values["kinds"] = None if key.kinds is None else sorted(key.kinds)
        return self._session.connection.execute(_INSERT, values).rowcount > 0

    def of_hash(self, key_hash: str) -> WorkerKey | None:
        """Find one by the SHA-256 of the key, in hexadecimal."""
        rows = _SELECT_OF_HASH.rows(self._session.connection, {"of_hash": key_hash})
        return _key(rows[0]) if rows else None

    def get(self, key_id: UUID) -> WorkerKey | None:
        """Find one by its id."""
        rows = _SELECT.rows(self._session.connection, {"of_id": key_id})
        return _key(rows[0]) if rows else None

    def used(self, key_id: UUID, at: datetime) -> None:
        """Note that a worker registered with it."""
        self._session.change()
        self._session.connection.execute(_USED, {"of_id": key_id, "at": at})

    def remove(self, key_id: UUID) -> bool:
        """Remove one; False when there is none of that id."""
        self._session.change()
        return self._session.connection.execute(_DELETE, {"of_id": key_id}).rowcount > 0

    def all(self) -> Sequence[WorkerKey]:
        """List them, by name."""
        return [_key(row) for row in _SELECT_ALL.rows(self._session.connection, {})]


def _key(row: Sequence[Any]) -> WorkerKey:
    key = WorkerKey(*row)
    return key if key.kinds is None else replace(key, kinds=frozenset(key.kinds))
