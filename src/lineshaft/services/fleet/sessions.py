"""Sessions of workers, and who may speak for them and for their leases."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final
from uuid import UUID

from lineshaft.engine.advance import holds_lease
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import ForbiddenError, StaleLeaseError, WorkerNotFoundError
from lineshaft.model.run import Run
from lineshaft.model.worker import Worker
from lineshaft.model.worker_key import INSIDE, WorkerCaller
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.finding import find_run

_REMEMBERED: Final = 20_000
_MOST_NAMED: Final = 3

_Lease = tuple[AttemptAddress, str]


class Sessions:
    """Tells whether a caller may speak for a session or a lease.

    A session belongs to the key that it was registered with, for good, and so do the leases that it takes.
    Which key a lease belongs to is remembered by its attempt and its token, so that appending to a log asks
    the database nothing more. The token alone would not do: workers choose theirs. Safe from any thread.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key_of_lease: OrderedDict[_Lease, UUID | None] = OrderedDict()
        self._lock = Lock()

    def leased(self, leases: Iterable[_Lease], key_id: UUID | None) -> None:
        """Remember which key leases belong to; to be told when they are committed."""
        with self._lock:
            for lease in leases:
                self._key_of_lease[lease] = key_id
            while len(self._key_of_lease) > _REMEMBERED:
                self._key_of_lease.popitem(last=False)

    def find(self, transaction: Transaction, worker_id: UUID, caller: WorkerCaller) -> Worker:
        """Find a session that the caller speaks for.

        Raises:
            WorkerNotFoundError: there is none of that id any more.
            ForbiddenError: it belongs to another key, or serves what the key is not for.
        """
        worker = transaction.workers.get(worker_id)
        if worker is None:
            raise session_not_found(worker_id)
        _refuse_others(worker.key_id, caller)
        refuse_kinds(worker.offer.kinds, caller)
        return worker

    def leased_run(
        self,
        transaction: Transaction,
        address: AttemptAddress,
        token: str,
        caller: WorkerCaller,
        worker_id: UUID | None = None,
    ) -> Run:
        """Find the run of an attempt that the caller holds a lease on.

        Args:
            transaction: where to look.
            address: which attempt.
            token: the lease's.
            caller: who speaks.
            worker_id: the session for which it does, where it says so.

        Raises:
            StaleLeaseError: the token is not that of the attempt's living lease.
            ForbiddenError: the lease belongs to another key, or to another session.
        """
        run = find_run(transaction, address.run_id)
        node = run.nodes[address.node] if 0 < address.node < len(run.tree) else None
        if node is None or node.lease is None or not holds_lease(node, address.attempt, token):
            raise _stale()
        _refuse_others(self._key_of(transaction, (address, token), node.lease.worker_id), caller)
        if worker_id is not None and worker_id != node.lease.worker_id:
            raise ForbiddenError(
                "The lease belongs to another worker's session.",
                advice="Report with the `worker_id` that the lease was given to.",
            )
        return run

    async def check_lease(self, address: AttemptAddress, token: str, caller: WorkerCaller) -> None:
        """See whether a caller may write with a token; whether the lease lives is for the write to find out.

        Raises:
            RunNotFoundError: there is no such run.
            StaleLeaseError: the token is of no lease that this process has given out or that lives.
            ForbiddenError: the lease belongs to another key.
        """
        with self._lock:
            known = (address, token) in self._key_of_lease
            key_id = self._key_of_lease.get((address, token))
        if known:
            _refuse_others(key_id, caller)
        else:
            await self._store.read(lambda transaction: self.leased_run(transaction, address, token, caller))

    def _key_of(self, transaction: Transaction, lease: _Lease, worker_id: UUID) -> UUID | None:
        with self._lock:
            if lease in self._key_of_lease:
                return self._key_of_lease[lease]
        worker = transaction.workers.get(worker_id)
        if worker is None:
            raise _stale()
        self.leased([lease], worker.key_id)
        return worker.key_id


def session_not_found(worker_id: UUID) -> WorkerNotFoundError:
    """Say that there is no such session (any more)."""
    return WorkerNotFoundError(
        f"No worker session has the id {worker_id}; another of its name may have taken its place.",
        advice="Register again.",
    )


def is_offline(worker: Worker, now: datetime, lease_time: timedelta) -> bool:
    """Tell whether a worker was not heard of for longer than a lease lives."""
    return worker.seen_at + lease_time <= now


def refuse_name(name: str, caller: WorkerCaller) -> None:
    """Refuse a caller whose key is for a worker of another name.

    Raises:
        ForbiddenError: it is.
    """
    if caller.worker is not None and caller.worker != name:
        raise ForbiddenError(
            f"This worker key is for the worker '{caller.worker}' alone.",
            advice=f"Start the worker with that name, or make a key for '{name}'.",
        )


def refuse_kinds(kinds: frozenset[str], caller: WorkerCaller) -> None:
    """Refuse a caller whose key is for other kinds of work.

    Raises:
        ForbiddenError: it is.
    """
    others = [] if caller.kinds is None else sorted(kinds - caller.kinds)
    if others:
        named = ", ".join(f"'{kind}'" for kind in others[:_MOST_NAMED])
        raise ForbiddenError(
            f"This worker key is not for {named}{' and more' if len(others) > _MOST_NAMED else ''}.",
            advice="Serve what the key was made for, or make one for this as well.",
        )


def refuse_takeover(former: Worker, caller: WorkerCaller) -> None:
    """Refuse to end a living session of another key.

    Users, and the worker inside the server, may end any.

    Raises:
        ForbiddenError: the session belongs to another key.
    """
    if caller != INSIDE and former.key_id != caller.key_id:
        raise ForbiddenError(
            f"A worker named '{former.name}' is at work with another key.",
            advice="Give this worker another name, or wait until that one is offline.",
        )


def _refuse_others(key_id: UUID | None, caller: WorkerCaller) -> None:
    if key_id != caller.key_id:
        raise ForbiddenError(
            "The worker's session belongs to another key.",
            advice="Use the key that it was registered with, or register again.",
        )


def _stale() -> StaleLeaseError:
    return StaleLeaseError(
        "The token is not that of a living lease on this attempt.",
        advice="Stop working on it: it has ended, or it was given to another worker.",
    )
