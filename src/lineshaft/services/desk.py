"""The desk at which workers call: the worker protocol, served by direct calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from lineshaft.engine.advance import holds_lease
from lineshaft.engine.decision import Decision
from lineshaft.model.attempt import AttemptAddress, LeasedAttempt
from lineshaft.model.errors import ExpressionError, StaleLeaseError, UnavailableError, WorkerNotFoundError
from lineshaft.model.event import AttemptLeased, AttemptLost, SourceResolved
from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.run import Lease, Run
from lineshaft.model.worker import Worker
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Claim, Store, Transaction
from lineshaft.ports.wakeups import QUEUE, STOPPING, worker_topic
from lineshaft.services.leases import lease_message, unrendered
from lineshaft.services.progress import Progress, find_run
from lineshaft.services.reported import checked_report
from lineshaft.telemetry.run_log import log_decisions
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    Hello,
    LeaseMessage,
    LeasesAnswer,
    Report,
    SourceAnswer,
    SourceReport,
    Welcome,
)

_REAP_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class _Taken:
    """What one claim brought."""

    leases: list[LeaseMessage]
    decisions: list[Decision]


class WorkerDesk:
    """Serves `sdk.worker_protocol.WorkerProtocol` within the server's process.

    The worker inside the server calls it as it is; the HTTP routes are a thin cover over it.
    """

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, progress: Progress, lease_time: timedelta
    ) -> None:
        self._store = store
        self._progress = progress
        self._clock = clock
        self._ids = ids
        self._lease_time = lease_time
        self._stopping = False

    def stop_waiting(self) -> None:
        """Let no call wait any more: this process is about to stop, and would have to wait for them.

        A claim that would wait raises UnavailableError, a heartbeat is answered at once.
        """
        self._stopping = True
        self._store.wakeups.wake(frozenset({STOPPING}))

    async def register(self, hello: Hello) -> Welcome:
        """Begin a session; one of the same name is ended, and what it held is lost."""
        now = self._clock.now()
        offer = Offer(
            hello.kinds,
            Capacity(hello.slots, hello.cpus, hello.memory_bytes),
            tuple(sorted(hello.labels)),
        )
        worker = Worker(self._ids.new_id(), hello.name, offer, now, now, version=hello.version)

        def work(transaction: Transaction) -> list[Decision]:
            former = transaction.workers.register(worker)
            return [] if former is None else self._lose(transaction, transaction.attempts.held_by(former))

        log_decisions(await self._store.write(work))
        return Welcome(worker_id=worker.id, lease_seconds=self._lease_time.total_seconds())

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        """Ask for attempts, waiting up to `wait_seconds` for the first."""
        until = self._clock.now() + timedelta(seconds=request.wait_seconds)
        with self._store.wakeups.listen(QUEUE, STOPPING) as listener:
            while True:
                token = self._ids.new_token()
                taken = await self._store.write(self._taking(request.worker_id, request.slots, token))
                log_decisions(taken.decisions)
                left = until - self._clock.now()
                if taken.leases or left <= timedelta():
                    return LeasesAnswer(leases=tuple(taken.leases))
                if self._stopping:
                    raise UnavailableError("The server is stopping.", advice="Claim again in a moment.")
                if not await listener.wait(left):
                    return LeasesAnswer()

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Prolong leases and hear what is to be stopped, waiting up to `wait_seconds` for news of that."""
        until = self._clock.now() + timedelta(seconds=heartbeat.wait_seconds)
        with self._store.wakeups.listen(worker_topic(heartbeat.worker_id), STOPPING) as listener:
            held = await self._store.write(self._renewing(heartbeat))
            while True:
                answer = HeartbeatAnswer(
                    living=frozenset(leased.address for leased in held),
                    stop=frozenset(leased.address for leased in held if leased.stopping),
                )
                left = until - self._clock.now()
                if answer.stop - heartbeat.stopping or self._stopping or left <= timedelta():
                    return answer
                if not await listener.wait(left):
                    return answer
                held = await self._store.read(
                    lambda transaction: transaction.attempts.held_by(heartbeat.worker_id)
                )

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        """Say which commit the source is at, and hear which one the run works on."""

        def work(transaction: Transaction) -> str:
            _check_lease(transaction, report.address, report.token)
            event = SourceResolved(report.commit)
            self._progress.apply(transaction, report.address.run_id, event, self._clock.now())
            source = find_run(transaction, report.address.run_id).source
            return report.commit if source is None or source.commit is None else source.commit

        return SourceAnswer(commit=await self._store.write(work))

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append bytes to the attempt's log; when this returns they are durable."""
        return await self._store.write(
            lambda transaction: transaction.logs.append(address, token, offset, data)
        )

    async def report(self, report: Report) -> LeasesAnswer:
        """Tell how an attempt ended, and get new leases for up to `slots` more."""
        address = report.address
        checked = await checked_report(self._store, report)
        token = self._ids.new_token()

        def work(transaction: Transaction) -> _Taken:
            run = _check_lease(transaction, address, report.token)
            event = checked.event(run)
            decisions = self._progress.apply(transaction, address.run_id, event, self._clock.now())
            if not report.slots:
                return _Taken([], decisions)
            taken = self._taking(report.worker_id, report.slots, token)(transaction)
            return _Taken(taken.leases, decisions + taken.decisions)

        taken = await self._store.write(work)
        log_decisions(taken.decisions)
        return LeasesAnswer(leases=tuple(taken.leases))

    async def lose_expired(self) -> int:
        """End the leases that have run out, and return how many there were."""

        def work(transaction: Transaction) -> tuple[int, list[Decision]]:
            expired = transaction.attempts.expired(self._clock.now(), _REAP_BATCH)
            return len(expired), self._lose(transaction, expired)

        count, decisions = await self._store.write(work)
        log_decisions(decisions)
        return count

    def _taking(self, worker_id: UUID, slots: int, token: str) -> Callable[[Transaction], _Taken]:
        def work(transaction: Transaction) -> _Taken:
            now = self._clock.now()
            worker = _find_worker(transaction, worker_id)
            taken = _Taken([], [])
            while True:
                claim = Claim(worker, slots - len(taken.leases), token, now, now + self._lease_time)
                addresses = transaction.attempts.claim(claim)
                failed = [
                    address
                    for address in addresses
                    if not self._lease(transaction, address, Lease(token, worker_id), taken)
                ]
                if not failed:
                    return taken
                # What failed has made room, and there may be more in the queue.

        return work

    def _lease(self, transaction: Transaction, address: AttemptAddress, lease: Lease, taken: _Taken) -> bool:
        """Give out a lease, or fail an attempt whose expressions cannot be evaluated; tells which it was."""
        now = self._clock.now()
        event = AttemptLeased(address.node, address.attempt, lease)
        taken.decisions.extend(self._progress.apply(transaction, address.run_id, event, now))
        run = find_run(transaction, address.run_id)
        try:
            message = lease_message(run, address, lease.token)
        except ExpressionError as error:
            failure = unrendered(address, lease.token, error)
            taken.decisions.extend(self._progress.apply(transaction, address.run_id, failure, now))
            return False
        taken.leases.append(message)
        return True

    def _renewing(self, heartbeat: Heartbeat) -> Callable[[Transaction], Sequence[LeasedAttempt]]:
        def work(transaction: Transaction) -> Sequence[LeasedAttempt]:
            now = self._clock.now()
            _find_worker(transaction, heartbeat.worker_id)
            transaction.workers.seen(heartbeat.worker_id, now)
            transaction.attempts.renew(
                heartbeat.worker_id, heartbeat.tokens, expires_at=now + self._lease_time
            )
            return transaction.attempts.held_by(heartbeat.worker_id)

        return work

    def _lose(self, transaction: Transaction, leased: Sequence[LeasedAttempt]) -> list[Decision]:
        now = self._clock.now()
        return [
            decision
            for each in leased
            for decision in self._progress.apply(
                transaction,
                each.address.run_id,
                AttemptLost(each.address.node, each.address.attempt, each.token),
                now,
            )
        ]


def _find_worker(transaction: Transaction, worker_id: UUID) -> Worker:
    worker = transaction.workers.get(worker_id)
    if worker is None:
        raise WorkerNotFoundError(
            f"No worker session has the id {worker_id}; another of its name may have taken its place.",
            advice="Register again.",
        )
    return worker


def _check_lease(transaction: Transaction, address: AttemptAddress, token: str) -> Run:
    """Refuse a write that does not carry the token of the attempt's living lease."""
    run = find_run(transaction, address.run_id)
    if not 0 < address.node < len(run.tree) or not holds_lease(
        run.nodes[address.node], address.attempt, token
    ):
        raise StaleLeaseError(
            "The token is not that of a living lease on this attempt.",
            advice="Stop working on it: it has ended, or it was given to another worker.",
        )
    return run
