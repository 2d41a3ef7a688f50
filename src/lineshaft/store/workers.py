"""Workers in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.worker import Worker
from lineshaft.ports.wakeups import worker_topic
from lineshaft.store.prepared import Prepared, padded
from lineshaft.store.schema import workers
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep

_IS: Final = workers.c.id == bindparam("of_id")
_FIELDS: Final = (
    workers.c.id,
    workers.c.name,
    workers.c.kinds,
    workers.c.slots,
    workers.c.cpus,
    workers.c.memory_bytes,
    workers.c.labels,
    workers.c.registered_at,
    workers.c.seen_at,
    workers.c.key_id,
    workers.c.draining_id,
    workers.c.load,
    workers.c.version,
)
_SELECT: Final = Prepared(select(*_FIELDS).where(_IS))
_SELECT_MANY: Final = select(*_FIELDS).where(workers.c.id.in_(bindparam("of_ids", expanding=True)))
_SELECT_NAMED: Final = Prepared(select(*_FIELDS).where(workers.c.name == bindparam("of_name")))
_SELECT_ALL: Final = Prepared(select(*_FIELDS).order_by(workers.c.name))
_LOCK_NAME: Final = select(workers.c.id).where(workers.c.name == bindparam("of_name")).with_for_update()
_INSERT: Final = insert_or_keep(workers, "name")
_REPLACE: Final = update(workers).where(_IS)
_SEEN: Final = Prepared(update(workers).where(_IS).values(seen_at=bindparam("at"), load=bindparam("busy")))
_DRAIN: Final = update(workers).where(_IS).values(draining_id=workers.c.id)
_DELETE: Final = delete(workers).where(_IS)


class WorkerRegisteredError(Exception):
    """Another process has registered a worker of the same name at the same moment."""


class SqlWorkers:
    """The workers that have registered; see `ports.store.Workers`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def register(self, worker: Worker) -> UUID | None:
        """Add a session; returns the id of the session of the same name that it takes the place of."""
        self._change()
        values = {
            "id": worker.id,
            "name": worker.name,
            "kinds": sorted(str(kind) for kind in worker.offer.kinds),
            "slots": worker.offer.capacity.slots,
            "registered_at": worker.registered_at,
            "seen_at": worker.seen_at,
            "labels": list(worker.offer.labels) or None,
            "cpus": worker.offer.capacity.cpus,
            "memory_bytes": worker.offer.capacity.memory_bytes,
            "key_id": worker.key_id,
            "draining_id": worker.id if worker.draining else None,
            "load": worker.load,
            "version": worker.version,
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
        known = self._session.workers.get(worker_id)
        if known is not None:
            return known
        rows = _SELECT.rows(self._session.connection, {"of_id": worker_id})
        return _worker(rows[0]) if rows else None

    def read_all(self, worker_ids: Collection[UUID]) -> None:
        """Read at once what `get` returns."""
        if worker_ids:
            found = self._session.connection.execute(_SELECT_MANY, {"of_ids": padded(worker_ids)})
            workers = [_worker(row) for row in found]
            self._session.workers.update({worker.id: worker for worker in workers})

    def named(self, name: str) -> Worker | None:
        """Find a living session by its worker's name."""
        rows = _SELECT_NAMED.rows(self._session.connection, {"of_name": name})
        return _worker(rows[0]) if rows else None

    def seen(self, worker_id: UUID, at: datetime, load: float | None = None) -> None:
        """Note that it was heard of, and how busy its host is."""
        self._change()
        _SEEN.execute(self._session.connection, {"of_id": worker_id, "at": at, "busy": load})

    def drain(self, worker_id: UUID) -> None:
        """Note that it is to take no more, and wake its topic."""
        self._change()
        self._session.connection.execute(_DRAIN, {"of_id": worker_id})
        self._session.topics.add(worker_topic(worker_id))

    def remove(self, worker_id: UUID) -> None:
        """Forget a session, which holds no lease any more."""
        self._change()
        self._session.connection.execute(_DELETE, {"of_id": worker_id})

    def _change(self) -> None:
        self._session.change()
        self._session.workers.clear()

    def all(self) -> Sequence[Worker]:
        """List the sessions, by name."""
        return [_worker(row) for row in _SELECT_ALL.rows(self._session.connection, {})]


def _worker(row: Sequence[Any]) -> Worker:
    worker_id, name, kinds, slots, cpus, memory_bytes, labels, registered_at, seen_at, *rest = row
    key_id, draining_id, load, version = rest
    return Worker(
        id=worker_id,
        name=name,
        offer=Offer(
            frozenset(kinds),
            Capacity(slots, cpus, memory_bytes),
            tuple(labels or ()),
        ),
        registered_at=registered_at,
        seen_at=seen_at,
        key_id=key_id,
        draining=draining_id == worker_id,
        load=load,
        version=version,
    )
