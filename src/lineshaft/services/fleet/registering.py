"""Registering: a worker begins a session."""

from datetime import datetime, timedelta
from uuid import UUID

from lineshaft.engine.decision import Decision
from lineshaft.model.errors import ConflictError
from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.worker import Worker
from lineshaft.model.worker_key import WorkerCaller, driver_caller
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Transaction
from lineshaft.ports.wakeups import worker_topic
from lineshaft.services.bad_runs import Current
from lineshaft.services.fleet.drivers import declare_drivers
from lineshaft.services.fleet.losing import Losing
from lineshaft.services.fleet.sessions import is_offline, refuse_kinds, refuse_name, refuse_takeover
from lineshaft.services.fleet.worker_keys import WorkerKeyService
from lineshaft.telemetry.run_log import log_decisions
from lineshaft.wire.worker import Hello, Welcome


class Registering:
    """Begins sessions of workers.

    A session takes the place of the one before it under its name, and what that held is lost. So a name that
    is at work under another key is refused, unless nobody can speak for that session any more: it is offline,
    or its key is worth nothing by now.
    """

    def __init__(
        self, clock: Clock, ids: Ids, lease_time: timedelta, losing: Losing, keys: WorkerKeyService
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._lease_time = lease_time
        self._bad_runs = losing.bad_runs
        self._losing = losing
        self._keys = keys

    async def register(self, hello: Hello, caller: WorkerCaller) -> Welcome:
        """Begin a session; one of the same name is ended, and what it held is lost.

        Raises:
            ForbiddenError: the key is for a worker of another name, or for other kinds of work, or the name
                is at work under another key.
            ConflictError: another session has taken the name from the one that the worker had, or the id that
                it has chosen is another's.
        """
        refuse_name(hello.name, caller)
        refuse_kinds(hello.kinds, caller)
        now = self._clock.now()
        worker = _session(hello, hello.session or self._ids.new_id(), now, caller)

        def work(transaction: Transaction, current: Current) -> list[Decision]:
            former = transaction.workers.named(hello.name)
            if former is not None and former.id == worker.id and former.key_id == worker.key_id:
                return []  # It has said so before, and has not heard the answer.
            if transaction.workers.get(worker.id) is not None:
                raise ConflictError(
                    f"The session {worker.id} is another worker's.", advice="Let each worker choose its own."
                )
            if former is not None and hello.former not in {None, former.id}:
                raise ConflictError(
                    f"Another worker named '{hello.name}' has taken this one's place.",
                    advice="Give each worker a name of its own with --name.",
                )
            if former is not None and not self._is_abandoned(transaction, former):
                refuse_takeover(former, caller)
            former_id = transaction.workers.register(worker)
            declare_drivers(transaction, hello, now)
            if caller.key_id is not None:
                transaction.worker_keys.used(caller.key_id, now)
            if former_id is None:
                return []
            # It may be waiting for news.
            transaction.wake(worker_topic(former_id))
            return self._losing.lose(transaction, current, transaction.attempts.held_by(former_id))

        log_decisions(await self._bad_runs.write(work))
        return Welcome(worker_id=worker.id, lease_seconds=self._lease_time.total_seconds())

    def _is_abandoned(self, transaction: Transaction, former: Worker) -> bool:
        return is_offline(former, self._clock.now(), self._lease_time) or (
            former.key_id is not None
            and not _is_vouched_for(former)
            and not self._keys.opens(transaction, former.key_id)
        )


def _session(hello: Hello, session_id: UUID, now: datetime, caller: WorkerCaller) -> Worker:
    offer = Offer(
        hello.kinds,
        Capacity(hello.slots, hello.cpus, hello.memory_bytes),
        tuple(sorted(hello.labels)),
    )
    return Worker(session_id, hello.name, offer, now, now, key_id=caller.key_id, version=hello.version)


def _is_vouched_for(worker: Worker) -> bool:
    """Tell whether it is a driver whose name was seen to elsewhere: no key of ours stands behind it."""
    return worker.key_id in {driver_caller(kind).key_id for kind in worker.offer.kinds}
