"""The agent: claims attempts, has them done, keeps their leases alive, and reports."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import StaleLeaseError, WorkerNotFoundError
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind, kind_of
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    Hello,
    LeaseMessage,
    LeasesAnswer,
    Report,
    SourceReport,
    Welcome,
)
from lineshaft.worker.driver import Assignment, Driver
from lineshaft.worker.log_upload import LogUpload
from lineshaft.worker.patience import Patience

_LOG: Final = logging.getLogger("lineshaft.worker")
_CLAIM_WAIT_SECONDS: Final = 10.0
_LONGEST_WAIT_SECONDS: Final = 30.0


@dataclass(slots=True)
class _Held:
    """An attempt in this worker's hands."""

    lease: LeaseMessage
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False

    def drop(self) -> None:
        """Stop the work without a report: the lease is dead."""
        self.lost = True
        self.stop.set()


class Agent:
    """One worker session after another, for as long as the process lives."""

    def __init__(
        self,
        protocol: WorkerProtocol,
        drivers: Mapping[WorkKind, Driver],
        *,
        name: str,
        slots: int,
        patience: Patience | None = None,
    ) -> None:
        """Prepare an agent.

        Args:
            protocol: how it talks to the server.
            drivers: who does which kind of work.
            name: unique among workers, the same over restarts.
            slots: how many attempts it takes at once.
            patience: how it repeats calls while the server is away.
        """
        self._protocol = protocol
        self._drivers = drivers
        self._name = name
        self._slots = slots
        self._patience = patience or Patience()
        self._held: dict[AttemptAddress, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._free = asyncio.Event()
        self._draining = False

    async def run(self) -> None:
        """Serve until cancelled, or until `drain` was called and all that was held has ended.

        When it is cancelled, the work that is going on is stopped and not reported: the server finds the
        leases lost, when this worker comes back or they run out, and decides what becomes of the attempts.
        """
        try:
            while not self._draining:
                await self._serve_session()
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            await self._drop_all()

    def drain(self) -> None:
        """Claim no more; `run` returns when what is held has ended."""
        self._draining = True
        self._free.set()

    def stop_all(self) -> None:
        """Stop all that is held; it is reported as cancelled."""
        for held in self._held.values():
            held.stop.set()

    async def _serve_session(self) -> None:
        kinds = frozenset(self._drivers)
        hello = Hello(name=self._name, kinds=kinds, slots=self._slots)
        welcome = await self._patience.until_available(partial(self._protocol.register, hello))
        _LOG.info("Worker '%s' serves %s with %d slots.", self._name, ", ".join(sorted(kinds)), self._slots)
        heart = asyncio.create_task(self._keep_leases(welcome))
        claims = asyncio.create_task(self._claim(welcome.worker_id))
        try:
            await asyncio.wait({heart, claims}, return_when=asyncio.FIRST_COMPLETED)
            if claims.done() and self._draining:
                while self._tasks and not heart.done():
                    await asyncio.wait({heart, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            for ended in (heart, claims):
                if ended.done():
                    ended.result()
        except WorkerNotFoundError as error:
            _LOG.warning("This worker's session is over, its work is dropped: %s", error)
            await self._drop_all()
        finally:
            heart.cancel()
            claims.cancel()
            await asyncio.gather(heart, claims, return_exceptions=True)

    async def _claim(self, worker_id: UUID) -> None:
        while True:
            while len(self._tasks) >= self._slots and not self._draining:
                self._free.clear()
                await self._free.wait()
            if self._draining:
                return
            request = ClaimRequest(
                worker_id=worker_id, slots=self._slots - len(self._tasks), wait_seconds=_CLAIM_WAIT_SECONDS
            )
            answer = await self._patience.until_available(partial(self._protocol.claim, request))
            for lease in answer.leases:
                self._begin(worker_id, lease)

    def _begin(self, worker_id: UUID, lease: LeaseMessage) -> None:
        self._held[lease.address] = _Held(lease)
        task = asyncio.create_task(self._serve_slot(worker_id, lease))
        self._tasks.add(task)
        task.add_done_callback(self._slot_is_free)

    def _slot_is_free(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.set()
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("An attempt was dropped by an error of ours.", exc_info=task.exception())

    async def _serve_slot(self, worker_id: UUID, lease: LeaseMessage) -> None:
        """Work on an attempt, and on those that the reports' answers bring."""
        following: LeaseMessage | None = lease
        while following is not None:
            held = self._held.setdefault(following.address, _Held(following))
            try:
                outcome = await self._perform(held)
            finally:
                self._held.pop(following.address, None)
            following = None if held.lost else await self._report(worker_id, held.lease, outcome)

    async def _perform(self, held: _Held) -> Outcome:
        lease = held.lease
        log = LogUpload(self._protocol, self._patience, lease.address, lease.token)

        async def resolve_source(commit: str) -> str:
            report = SourceReport(address=lease.address, token=lease.token, commit=commit)
            answer = await self._patience.until_available(partial(self._protocol.resolve_source, report))
            return answer.commit

        driver = self._drivers[kind_of(lease.work.to_model())]
        try:
            outcome = await driver.perform(Assignment(lease, log, held.stop, resolve_source))
        except StaleLeaseError:
            held.drop()
            outcome = Outcome(State.CANCELLED)
        except Exception as error:  # noqa: BLE001 - a driver's fault ends its attempt, not the worker.
            _LOG.exception("The driver of '%s' failed.", lease.work.kind)
            text = f"The worker failed: {type(error).__name__}. Its log on '{self._name}' tells more."
            outcome = Outcome(State.FAILED, Reason(ReasonCode.WORKER_ERROR, text))
        await log.finish()
        return outcome

    async def _report(self, worker_id: UUID, lease: LeaseMessage, outcome: Outcome) -> LeaseMessage | None:
        report = Report(
            worker_id=worker_id,
            address=lease.address,
            token=lease.token,
            outcome=outcome,
            slots=0 if self._draining else 1,
        )
        try:
            answer: LeasesAnswer = await self._patience.until_available(
                partial(self._protocol.report, report)
            )
        except (StaleLeaseError, WorkerNotFoundError):
            _LOG.info("The report on '%s' came too late, or twice.", lease.path)
            return None
        return answer.leases[0] if answer.leases else None

    async def _keep_leases(self, welcome: Welcome) -> None:
        """Prolong the leases three times in their life, and hear at once what is to be stopped."""
        told: frozenset[AttemptAddress] = frozenset()
        while True:
            asked = set(self._held)
            heartbeat = Heartbeat(
                worker_id=welcome.worker_id,
                tokens=frozenset(held.lease.token for held in self._held.values()),
                stopping=told,
                wait_seconds=min(welcome.lease_seconds / 3, _LONGEST_WAIT_SECONDS),
            )
            answer = await self._patience.until_available(partial(self._protocol.heartbeat, heartbeat))
            told = answer.stop
            for address, held in self._held.items():
                if address in answer.stop:
                    held.stop.set()
                elif address in asked and address not in answer.living:
                    _LOG.warning("The lease on '%s' is lost, its work is dropped.", held.lease.path)
                    held.drop()

    async def _drop_all(self) -> None:
        for held in self._held.values():
            held.drop()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
