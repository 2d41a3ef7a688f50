"""Workers in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select, update

from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.work import WorkKind
from lineshaft.model.worker import Worker
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import workers
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep

_IS: Final = workers.c.id == bindparam("of_id")
_FIELDS: Final = (
    workers.c.id,
    workers.c.name,
    workers.c.kinds,
    workers.c.slots,
    workers.c.registered_at,
    workers.c.seen_at,
)
_SELECT: Final = Prepared(select(*_FIELDS).where(_IS))
_SELECT_ALL: Final = select(*_FIELDS).order_by(workers.c.name)
_LOCK_NAME: Final = select(workers.c.id).where(workers.c.name == bindparam("of_name")).with_for_update()
_INSERT: Final = insert_or_keep(workers, "name")
_REPLACE: Final = update(workers).where(_IS)
_SEEN: Final = update(workers).where(_IS).values(seen_at=bindparam("at"))


class WorkerRegisteredError(Exception):
    """Another process has registered a worker of the same name at the same moment."""


class SqlWorkers:
    """The workers that have registered; see `ports.store.Workers`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def register(self, worker: Worker) -> UUID | None:
        """Add a session; returns the id of the session of the same name that it takes the place of."""
        self._session.change()
        values = {
            "id": worker.id,
            "name": worker.name,
            "kinds": sorted(kind.value for kind in worker.offer.kinds),
            "slots": worker.offer.capacity.slots,
            "registered_at": worker.registered_at,
            "seen_at": worker.seen_at,
        }
        connection = self._session.connection
        former = connection.execute(_LOCK_NAME, {"of_name": worker.name}).scalar_one_or_none()
        if former is not None:
            connection.execute(_REPLACE, {**values, "of_id": former})
            return UUID(str(former))
        if connection.execute(_INSERT, values).rowcount == 0:
            raise WorkerRegisteredError(worker.name)
        return None

    def get(self, worker_id: UUID) -> Worker | None:
        """Find a living session."""
        rows = _SELECT.rows(self._session.connection, {"of_id": worker_id})
        return _worker(rows[0]) if rows else None

    def seen(self, worker_id: UUID, at: datetime, load: float | None = None) -> None:
        """Note that it was heard of."""
        self._session.change()
        self._session.connection.execute(_SEEN, {"of_id": worker_id, "at": at})

    def all(self) -> Sequence[Worker]:
        """List the sessions, by name."""
        return [_worker(row) for row in self._session.connection.execute(_SELECT_ALL)]


def _worker(row: Sequence[Any]) -> Worker:
    worker_id, name, kinds, slots, registered_at, seen_at = row
    offer = Offer(frozenset(map(WorkKind, kinds)), Capacity(slots))
    return Worker(worker_id, name, offer, registered_at, seen_at)
