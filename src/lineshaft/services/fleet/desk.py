"""The desk at which workers call: the worker protocol, served by direct calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from lineshaft.engine.decision import Decision
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import UnavailableError
from lineshaft.model.event import SourceResolved
from lineshaft.model.limits import Limits
from lineshaft.model.worker_key import INSIDE, WorkerCaller
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Foreseen, Store, Transaction
from lineshaft.ports.wakeups import QUEUE, STOPPING, Listener, worker_topic
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.bad_runs import Current
from lineshaft.services.finding import find_run
from lineshaft.services.fleet.claiming import Claiming, Taken
from lineshaft.services.fleet.closing import Closing
from lineshaft.services.fleet.heartbeats import Heartbeats
from lineshaft.services.fleet.lines import Lines, Place
from lineshaft.services.fleet.losing import Losing
from lineshaft.services.fleet.registering import Registering
from lineshaft.services.fleet.reported import checked_report
from lineshaft.services.fleet.sessions import Sessions
from lineshaft.services.fleet.worker_keys import WorkerKeyService
from lineshaft.services.progress import Progress
from lineshaft.services.secrets.delivery import HERE, Delivery, Logins, Visit
from lineshaft.services.secrets.identity import IdentityService
from lineshaft.telemetry.run_log import log_decisions
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    Hello,
    LeasesAnswer,
    Report,
    SourceAnswer,
    SourceReport,
    Welcome,
)

_MOST_LOOKS: Final = 3
"""How often one call claims anew because nothing of what it has claimed could begin."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all callers share."""

    store: Store
    clock: Clock
    ids: Ids
    progress: Progress
    losing: Losing
    closing: Closing
    sessions: Sessions
    registering: Registering
    claiming: Claiming
    delivery: Delivery
    secrets: SecretStore
    heartbeats: Heartbeats
    lines: Lines
    longest_wait: timedelta


class CallersDesk:
    """The desk as one caller finds it; it speaks `sdk.worker_protocol.WorkerProtocol`.

    Besides what the protocol names, every method raises `ForbiddenError` where the caller speaks for a
    session or a lease that belongs to another key; nothing is changed then.
    """

    def __init__(self, desk: _Desk, caller: WorkerCaller, visit: Visit) -> None:
        self._desk = desk
        self._caller = caller
        self._visit = visit

    async def register(self, hello: Hello) -> Welcome:
        """Begin a session; one of the same name is ended, and what it held is lost."""
        return await self._desk.registering.register(hello, self._caller)

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        """Ask for attempts, waiting up to `wait_seconds` for the first."""
        desk, told = self._desk, worker_topic(request.worker_id)
        # No longer than leases live, so that one who has fallen silent gets nothing more when they run out.
        wait = min(timedelta(seconds=request.wait_seconds), desk.longest_wait)
        until = desk.clock.now() + wait
        with desk.store.wakeups.listen(QUEUE, STOPPING, told) as listener:
            look = partial(self._take, request, request.token or desk.ids.new_token())
            taken = await look()
            if not taken.leases and request.slots and wait > timedelta():
                if taken.worker.draining:
                    return await self._wait_in_vain(until)
                offer = taken.worker.offer
                with desk.lines.waiting(offer, idle=request.slots >= offer.capacity.slots) as place:
                    taken = await self._wait_in_line(look, place, listener, until, taken)
            return LeasesAnswer(leases=tuple(taken.leases))

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Prolong leases and hear what is to be stopped, waiting up to `wait_seconds` for news of that."""
        return await self._desk.heartbeats.beat(heartbeat, self._caller)

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        """Say which commit the source is at, and hear which one the run works on."""
        desk, address = self._desk, report.address

        def work(transaction: Transaction) -> str:
            desk.sessions.leased_run(transaction, address, report.token, self._caller)
            event = SourceResolved(report.commit)
            desk.progress.apply(transaction, address.run_id, event, desk.clock.now())
            source = find_run(transaction, address.run_id).source
            return report.commit if source is None or source.commit is None else source.commit

        return SourceAnswer(commit=await desk.store.write(work))

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append bytes to the attempt's log; when this returns they are durable."""
        await self._desk.sessions.check_lease(address, token, self._caller)

        def work(transaction: Transaction) -> int:
            return transaction.logs.append(address, token, offset, data)

        return await self._desk.store.write(Foreseen(work, logs=(address,)))

    async def report(self, report: Report) -> LeasesAnswer:
        """Tell how an attempt ended, and get new leases for up to `slots` more."""
        desk, address = self._desk, report.address
        checked = await checked_report(desk.store, report, desk.secrets)
        token = report.next_token or desk.ids.new_token()

        def work(transaction: Transaction, current: Current) -> tuple[list[Decision], Taken | None]:
            run = desk.sessions.leased_run(transaction, address, report.token, self._caller, report.worker_id)
            event = checked.event(run)
            decisions = desk.progress.apply(transaction, address.run_id, event, desk.clock.now())
            desk.losing.make_room(transaction)
            if not report.slots:
                return decisions, None
            worker = desk.sessions.find(transaction, report.worker_id, self._caller)
            # Nothing lives under the token yet: it came with this report, which is taken only once.
            return decisions, desk.claiming.take(transaction, current, worker, report.slots, token)

        write = desk.losing.bad_runs.write
        decisions, taken = await write(work, runs=(address.run_id,), workers=(report.worker_id,))
        log_decisions(decisions)
        return (
            LeasesAnswer() if taken is None else LeasesAnswer(leases=tuple((await self._given(taken)).leases))
        )

    async def _wait_in_line(
        self,
        look: Callable[[], Awaitable[Taken]],
        place: Place,
        queue: Listener,
        until: datetime,
        taken: Taken,
    ) -> Taken:
        """Look again whenever the queue may hold something, until the worker drains or the time is up."""
        desk, told = self._desk, worker_topic(taken.worker.id)
        with desk.store.wakeups.listen(place.topic, STOPPING, told) as behind:
            while not taken.leases and not taken.worker.draining:
                left = until - desk.clock.now()
                if left <= timedelta():
                    break
                if desk.closing.begun:
                    raise _stopping()
                in_front = place.in_front
                if not await (queue if in_front else behind).wait(left):
                    break
                if in_front or not place.in_front:
                    taken = await look()
                # Who has come to the front knows by its other listener whether there was something meanwhile.
        return taken

    async def _take(self, request: ClaimRequest, token: str) -> Taken:
        desk = self._desk

        def work(transaction: Transaction, current: Current) -> Taken:
            worker = desk.sessions.find(transaction, request.worker_id, self._caller)
            return desk.claiming.take_once(transaction, current, worker, request.slots, token)

        taken = await desk.losing.bad_runs.write(work, workers=(request.worker_id,))
        given = await self._given(taken)
        looks = 1
        while taken.leases and not given.leases and looks < _MOST_LOOKS:
            # None of them could begin, which has made room, and there may be more in the queue.
            taken = await desk.losing.bad_runs.write(work, workers=(request.worker_id,))
            given = await self._given(taken)
            looks += 1
        return given

    async def _given(self, taken: Taken) -> Taken:
        """Note leases that have been committed, and give them what else they are to carry."""
        leases = [(lease.address, lease.token) for lease in taken.leases]
        self._desk.sessions.leased(leases, taken.worker.key_id)
        filled = await self._desk.delivery.fill(taken, self._visit)
        log_decisions(filled.decisions)
        return filled

    async def _wait_in_vain(self, until: datetime) -> LeasesAnswer:
        """Keep a worker waiting that asks although it drains, so that it does not ask again at once."""
        desk = self._desk
        with desk.store.wakeups.listen(STOPPING) as listener:
            left = until - desk.clock.now()
            if left > timedelta():
                if not desk.closing.begun:
                    await listener.wait(left)
                if desk.closing.begun:
                    raise _stopping()
        return LeasesAnswer()


class WorkerDesk(CallersDesk):
    """Serves the worker protocol within the server's process.

    It is itself what the worker inside the server, and users, find; `of` tells what others do. The HTTP
    routes are a thin cover over it.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        progress: Progress,
        lease_time: timedelta,
        *,
        limits: Limits,
        losing: Losing,
        keys: WorkerKeyService,
        secrets: SecretStore,
        identity: IdentityService,
        logins: Logins,
    ) -> None:
        sessions, closing = Sessions(store), Closing(store.wakeups)
        desk = _Desk(
            store=store,
            clock=clock,
            ids=ids,
            progress=progress,
            losing=losing,
            closing=closing,
            sessions=sessions,
            registering=Registering(clock, ids, lease_time, losing, keys),
            claiming=Claiming(clock, progress, lease_time, limits),
            delivery=Delivery(
                losing.bad_runs, clock, ids, progress, secrets=secrets, identity=identity, logins=logins
            ),
            secrets=secrets,
            heartbeats=Heartbeats(store, clock, lease_time, sessions, closing),
            lines=Lines(store.wakeups),
            longest_wait=lease_time / 2,
        )
        super().__init__(desk, INSIDE, HERE)

    def of(self, caller: WorkerCaller, visit: Visit = HERE) -> WorkerProtocol:
        """Return the desk as a caller finds it."""
        return self if caller == INSIDE and visit is HERE else CallersDesk(self._desk, caller, visit)

    def stop_waiting(self) -> None:
        """Let no call wait any more: this process is about to stop, and would have to wait for them.

        A claim that would wait raises UnavailableError, a heartbeat is answered at once.
        """
        self._desk.closing.begin()


def _stopping() -> UnavailableError:
    return UnavailableError("The server is stopping.", advice="Claim again in a moment.")
