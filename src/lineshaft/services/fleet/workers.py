"""Workers, as people look after them: list, show, drain, forget."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Final
from uuid import UUID

from lineshaft.engine.decision import Decision
from lineshaft.model.attempt import HeldAttempt
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import ConflictError, CorruptRunError, WorkerNotFoundError
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.worker import Worker
from lineshaft.model.worker_status import RunningTask, WorkerState, WorkerStatus
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.ports.wakeups import worker_topic
from lineshaft.services.auditing import record
from lineshaft.services.bad_runs import Current
from lineshaft.services.fleet.drivers import note_last_seen
from lineshaft.services.fleet.losing import Losing
from lineshaft.services.fleet.sessions import is_offline
from lineshaft.telemetry.run_log import log_decisions

_LOG: Final = logging.getLogger("lineshaft.workers")


class WorkerService:
    """The use cases of workers."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, lease_time: timedelta, losing: Losing) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._lease_time = lease_time
        self._losing = losing

    async def page(self, *, after: str | None, limit: int) -> Sequence[WorkerStatus]:
        """List workers by name, from behind `after`."""

        def work(transaction: Transaction) -> Sequence[WorkerStatus]:
            # Databases order names each in their own way.
            behind = sorted(
                (worker for worker in transaction.workers.all() if after is None or worker.name > after),
                key=attrgetter("name"),
            )
            return self._statuses(transaction, behind[:limit])

        return await self._store.read(work)

    async def get(self, name: str) -> WorkerStatus:
        """Tell of one worker.

        Raises:
            WorkerNotFoundError: there is none of that name.
        """
        return await self._store.read(lambda transaction: self._status(transaction, name))

    async def drain(self, name: str, *, by: Actor = INSIDE_ACTOR) -> WorkerStatus:
        """Have a worker take no more; it ends when what it runs has ended. Idempotent.

        Raises:
            WorkerNotFoundError: there is none of that name.
        """

        def work(transaction: Transaction) -> WorkerStatus:
            worker = _find(transaction, name)
            if not worker.draining:
                transaction.workers.drain(worker.id)
                self._record(transaction, by, Action.WORKER_DRAINED, name)
            return self._status(transaction, name)

        return await self._store.write(work)

    async def forget(self, name: str, *, by: Actor = INSIDE_ACTOR) -> None:
        """Take a worker that is offline from the list; what it still held is lost.

        Raises:
            WorkerNotFoundError: there is none of that name.
            ConflictError: it is not offline.
        """

        def work(transaction: Transaction, current: Current) -> list[Decision]:
            worker = _find(transaction, name)
            if not is_offline(worker, self._clock.now(), self._lease_time):
                raise ConflictError(
                    f"The worker '{name}' is at work.",
                    advice="Drain it, and forget it when it has been silent for longer than a lease lives.",
                )
            decisions = self._losing.lose(transaction, current, transaction.attempts.held_by(worker.id))
            note_last_seen(transaction, worker)
            transaction.workers.remove(worker.id)
            self._record(transaction, by, Action.WORKER_FORGOTTEN, name)
            transaction.wake(worker_topic(worker.id))
            return decisions

        log_decisions(await self._losing.bad_runs.write(work))

    def _record(self, transaction: Transaction, by: Actor, action: Action, name: str) -> None:
        record(transaction, ids=self._ids, now=self._clock.now(), by=by, action=action, target=name)

    def _status(self, transaction: Transaction, name: str) -> WorkerStatus:
        (status,) = self._statuses(transaction, [_find(transaction, name)])
        return status

    def _statuses(self, transaction: Transaction, workers: Sequence[Worker]) -> list[WorkerStatus]:
        held: defaultdict[UUID, list[HeldAttempt]] = defaultdict(list)
        for each in transaction.attempts.held([worker.id for worker in workers]):
            held[each.worker_id].append(each)
        told = _Told(transaction)
        return [
            WorkerStatus(
                worker, self._state(worker, held[worker.id]), [told.of(each) for each in held[worker.id]]
            )
            for worker in workers
        ]

    def _state(self, worker: Worker, held: Sequence[HeldAttempt]) -> WorkerState:
        if is_offline(worker, self._clock.now(), self._lease_time):
            return WorkerState.OFFLINE
        if worker.draining:
            return WorkerState.DRAINING
        return WorkerState.BUSY if held else WorkerState.IDLE


class _Told:
    """Tells of attempts by their runs, each of which is read once."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._tell: dict[UUID, Callable[[HeldAttempt], RunningTask]] = {}

    def of(self, held: HeldAttempt) -> RunningTask:
        """Tell of an attempt; of one whose run cannot be read, what is known without it."""
        run_id = held.address.run_id
        if run_id not in self._tell:
            self._tell[run_id] = self._read(run_id)
        return self._tell[run_id](held)

    def _read(self, run_id: UUID) -> Callable[[HeldAttempt], RunningTask]:
        try:
            run = self._transaction.runs.get(run_id)
        except CorruptRunError as error:
            _LOG.warning("A worker's task cannot be told: %s", error)
            run = None
        if run is None:
            return RunningTask

        tree, name, number = run.tree, run.tree.root.name, run.number

        def tell(held: HeldAttempt) -> RunningTask:
            node = held.address.node
            return RunningTask(held, name, number, tree[node].path if node < len(tree) else "")

        return tell


def _find(transaction: Transaction, name: str) -> Worker:
    worker = transaction.workers.named(name)
    if worker is None:
        raise WorkerNotFoundError(
            f"No worker has the name '{name}'.", advice="`lineshaft worker list` shows those there are."
        )
    return worker
