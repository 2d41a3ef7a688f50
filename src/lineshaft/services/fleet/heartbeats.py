"""Heartbeats: workers say that they live, and hear what they have to know."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from lineshaft.model.attempt import LeasedAttempt
from lineshaft.model.worker import Worker
from lineshaft.model.worker_key import WorkerCaller
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Store, Transaction
from lineshaft.ports.wakeups import STOPPING, worker_topic
from lineshaft.services.fleet.closing import Closing
from lineshaft.services.fleet.sessions import Sessions
from lineshaft.wire.worker import Heartbeat, HeartbeatAnswer

_SEEN_TIMES: Final = 6
"""How often within a lease's life it is written at most that a worker was heard of. It beats three times."""


@dataclass(frozen=True, slots=True)
class _News:
    """A worker's session and its living leases, as they are at one moment."""

    worker: Worker
    held: Sequence[LeasedAttempt]

    def answer(self) -> HeartbeatAnswer:
        return HeartbeatAnswer(
            living=frozenset(leased.address for leased in self.held),
            stop=frozenset(leased.address for leased in self.held if leased.stopping),
            drain=self.worker.draining,
        )


class Heartbeats:
    """Prolongs leases, and tells workers what is to be stopped, and that they are to drain."""

    def __init__(
        self, store: Store, clock: Clock, lease_time: timedelta, sessions: Sessions, closing: Closing
    ) -> None:
        self._store = store
        self._clock = clock
        self._lease_time = lease_time
        self._sessions = sessions
        self._closing = closing

    async def beat(self, heartbeat: Heartbeat, caller: WorkerCaller) -> HeartbeatAnswer:
        """Prolong leases, and wait up to `wait_seconds` for news.

        Raises:
            WorkerNotFoundError: there is no such session any more.
            ForbiddenError: it belongs to another key.
        """
        until = self._clock.now() + timedelta(seconds=heartbeat.wait_seconds)
        with self._store.wakeups.listen(worker_topic(heartbeat.worker_id), STOPPING) as listener:
            news = await self._store.write(lambda transaction: self._renew(transaction, heartbeat, caller))
            while True:
                answer = news.answer()
                left = until - self._clock.now()
                is_new = answer.stop - heartbeat.stopping or (answer.drain and not heartbeat.draining)
                if is_new or self._closing.begun or left <= timedelta():
                    return answer
                if not await listener.wait(left):
                    return answer
                news = await self._store.read(lambda transaction: self._look(transaction, heartbeat, caller))

    def _renew(self, transaction: Transaction, heartbeat: Heartbeat, caller: WorkerCaller) -> _News:
        now = self._clock.now()
        worker = self._sessions.find(transaction, heartbeat.worker_id, caller)
        if now - worker.seen_at >= self._lease_time / _SEEN_TIMES:
            transaction.workers.seen(worker.id, now, heartbeat.load)
        if heartbeat.draining and not worker.draining:
            # This wakes the claim that it may still have waiting.
            transaction.workers.drain(worker.id)
            worker = replace(worker, draining=True)
        if heartbeat.tokens:
            transaction.attempts.renew(
                worker.id, heartbeat.tokens, expires_at=now + self._lease_time, but=heartbeat.unknown
            )
        return _News(worker, transaction.attempts.held_by(worker.id))

    def _look(self, transaction: Transaction, heartbeat: Heartbeat, caller: WorkerCaller) -> _News:
        worker = self._sessions.find(transaction, heartbeat.worker_id, caller)
        return _News(worker, transaction.attempts.held_by(worker.id))
