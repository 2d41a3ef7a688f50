"""Drivers that others have written, as people look after them: list, show, forget."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import ConflictError, DriverNotFoundError
from lineshaft.model.known_driver import DriverDeclaration, DriverStatus, KnownDriver, is_driver_name
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.worker import Worker
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.fleet.sessions import is_offline
from lineshaft.wire.worker import Hello


class DriverService:
    """The use cases of drivers that others have written."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, lease_time: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._lease_time = lease_time

    async def all(self) -> Sequence[DriverStatus]:
        """List all drivers that have ever registered and were not forgotten, by name."""
        return await self._store.read(
            lambda transaction: self._statuses(transaction, transaction.drivers.all())
        )

    async def get(self, name: str) -> DriverStatus:
        """Tell of one driver.

        Raises:
            DriverNotFoundError: none of that name has registered.
        """
        return await self._store.read(lambda transaction: self._status(transaction, name))

    async def forget(self, name: str, *, by: Actor = INSIDE_ACTOR) -> None:
        """Take a driver from the list that is not connected, so that nothing more is meant for it.

        What waits for it already goes on waiting: cancel those runs.

        Raises:
            ConflictError: it is connected.
            DriverNotFoundError: none of that name has registered.
        """

        def work(transaction: Transaction) -> None:
            if self._status(transaction, name).connected:
                raise ConflictError(
                    f"The driver '{name}' is connected.", advice="Stop its programs, and forget it then."
                )
            transaction.drivers.forget(name)
            now = self._clock.now()
            record(transaction, ids=self._ids, now=now, by=by, action=Action.DRIVER_FORGOTTEN, target=name)

        await self._store.write(work)

    def _status(self, transaction: Transaction, name: str) -> DriverStatus:
        known = transaction.drivers.get(name)
        if known is None:
            raise DriverNotFoundError(
                f"No driver has the name '{name}'.", advice="`lineshaft drivers` lists those there are."
            )
        (status,) = self._statuses(transaction, [known])
        return status

    def _statuses(self, transaction: Transaction, drivers: Sequence[KnownDriver]) -> list[DriverStatus]:
        names = {each.declaration.name for each in drivers}
        workers = [worker for worker in transaction.workers.all() if worker.offer.kinds & names]
        now = self._clock.now()
        connected: Counter[str] = Counter()
        for worker in workers:
            if not is_offline(worker, now, self._lease_time):
                connected.update(worker.offer.kinds & names)
        held = transaction.attempts.held([worker.id for worker in workers])
        in_flight = Counter(each.demand.kind for each in held)
        return [
            DriverStatus(
                each.declaration,
                each.registered_at,
                _last_seen(each, workers),
                connected[each.declaration.name],
                in_flight[each.declaration.name],
            )
            for each in drivers
        ]


def declare_drivers(transaction: Transaction, hello: Hello, now: datetime) -> None:
    """Keep what the drivers among a worker's kinds say of themselves.

    Of one that says nothing it is kept that it is there, unless something is known of it.
    """
    said = [
        DriverDeclaration(
            name=each.name,
            resources=each.resources,
            events=each.events,
            description=each.description,
            timeout=timedelta(seconds=each.timeout_seconds),
            retries=each.retries,
            idempotent=each.idempotent,
        )
        for each in hello.drivers
    ]
    silent = sorted(set(filter(is_driver_name, hello.kinds)) - {each.name for each in said})
    new = [DriverDeclaration(name) for name in silent if transaction.drivers.get(name) is None]
    if said or new:
        transaction.drivers.declare([*said, *new], now)


def note_last_seen(transaction: Transaction, worker: Worker) -> None:
    """Note when the drivers were last heard of that a worker serves which is about to be forgotten.

    As long as it is not, the worker itself tells that, so that heartbeats write nothing more.
    """
    names = set(filter(is_driver_name, worker.offer.kinds))
    if names:
        transaction.drivers.seen(names, worker.seen_at)


def _last_seen(driver: KnownDriver, workers: Iterable[Worker]) -> datetime:
    times = [worker.seen_at for worker in workers if driver.declaration.name in worker.offer.kinds]
    return max([driver.seen_at, *times])
