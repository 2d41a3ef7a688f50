"""A worker's session: it claims attempts, has them done, keeps their leases alive, and reports."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import (
    AccessError,
    InvalidInputError,
    LineshaftError,
    ServerError,
    ServerUnreachableError,
    StaleLeaseError,
    UnavailableError,
    WorkerNotFoundError,
)
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.ids import Ids, RandomIds
from lineshaft.sdk.agent.driver import Driver
from lineshaft.sdk.agent.held import Held
from lineshaft.sdk.agent.load import LoadGate
from lineshaft.sdk.agent.no_files import NoFiles
from lineshaft.sdk.agent.patience import Patience, first_of
from lineshaft.sdk.agent.performing import perform
from lineshaft.sdk.agent.slots import Slots
from lineshaft.sdk.worker_files import WorkerFiles
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.wire.worker import ClaimRequest, Heartbeat, HeartbeatAnswer, LeaseMessage, Report, Welcome

_LOG: Final = logging.getLogger("lineshaft.worker")
_CLAIM_WAIT_SECONDS: Final = 10.0
_LONGEST_WAIT_SECONDS: Final = 30.0
_SHORTEST_PATIENCE_SECONDS: Final = 5.0
_NO_ANSWER: Final = (UnavailableError, ServerError, AccessError)
"""What leaves open whether the server has done what it was asked for; see `Patience`."""
_LOOK_AGAIN: Final = timedelta(seconds=2)
"""How often a host that is too busy, or lacks what its tasks need, is looked at."""
_LOOKS_OF_THE_IDLE: Final = 15
"""After so many looks a worker that has nothing to do takes a task all the same: what keeps its host busy may
never end, and there may be no other worker."""


@dataclass(slots=True)
class Orders:
    """What the worker has been told.

    Attributes:
        drain: is set when it is to take no more.
        stop_all: whether all that it has in hand, and all that still comes, is to be stopped.
    """

    drain: asyncio.Event = field(default_factory=asyncio.Event)
    stop_all: bool = False


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a worker works with.

    Attributes:
        protocol: how it talks to the server.
        drivers: who does which kind of work.
        name: the worker's.
        slots: how many attempts it takes at once.
        gate: lets work in while the host is not too busy.
        patience: repeats calls while the server is away.
        clock: tells the time in seconds.
        ids: makes the ids of sessions and the tokens of claims.
        files: where files of attempts are kept.
        can_work: whether what the drivers need is there; while it is not, nothing is taken at all.
    """

    protocol: WorkerProtocol
    drivers: Mapping[str, Driver]
    name: str
    slots: int
    gate: LoadGate = field(default_factory=LoadGate)
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.monotonic
    ids: Ids = field(default_factory=RandomIds)
    files: WorkerFiles = field(default_factory=NoFiles)
    can_work: Callable[[], bool] = lambda: True


@dataclass(slots=True)
class _Asking:
    """What a report asks for.

    Attributes:
        token: of the leases that its answer brings.
        in_doubt: whether a try that asked for some was not answered.
    """

    token: str
    in_doubt: bool = False


class Session:
    """One session of a worker, from the server's welcome to its end."""

    def __init__(self, welcome: Welcome, equipment: Equipment, orders: Orders) -> None:
        """Prepare to serve.

        Args:
            welcome: what the server said.
            equipment: with what to work.
            orders: what the worker has been told; it may be told more at any time.
        """
        self._welcome = welcome
        self._equipment = equipment
        self._protocol = equipment.protocol
        self._patience = equipment.patience
        self._orders = orders
        self._slots = Slots(equipment.slots)
        self._token = equipment.ids.new_token()
        self._in_doubt = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._held: dict[AttemptAddress, Held] = {}
        self._unknown: frozenset[AttemptAddress] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard_at = equipment.clock()
        self._worthless = asyncio.Event()
        self._beating: asyncio.Task[tuple[set[AttemptAddress], HeartbeatAnswer]] | None = None

    async def serve(self) -> None:
        """Serve until the worker was told to drain, and all that it had in hand has ended.

        When this ends in any other way, what is in hand is stopped and not reported: the server finds the
        leases lost, when the worker comes back or they run out, and decides what becomes of the attempts.

        Raises:
            WorkerNotFoundError: the server does not know the session any more.
            AccessError: it takes the worker's credentials no more, and has not for as long as a lease lives.
        """
        heart = asyncio.create_task(self._keep_leases())
        claims = asyncio.create_task(self._claim())
        try:
            await asyncio.wait({heart, claims}, return_when=asyncio.FIRST_COMPLETED)
            if not heart.done():
                claims.result()
            while self._tasks and not heart.done():
                await asyncio.wait({heart, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            if heart.done():
                heart.result()
        finally:
            heart.cancel()
            claims.cancel()
            await asyncio.gather(heart, claims, return_exceptions=True)
            await self._drop_all()

    def tell_at_once(self) -> None:
        """Obey what the worker has just been told, and have the server hear of it now."""
        if self._orders.stop_all:
            for held in self._held.values():
                held.stop.set()
        if self._beating is not None:
            # Nothing is lost with a heartbeat's answer: the next one says the same.
            self._beating.cancel()

    async def _claim(self) -> None:
        while (most := await self._may_claim()) > 0:
            try:
                await self._patience.until_available(partial(self._ask, most), until=self._orders.drain)
            except _NO_ANSWER:
                if not self._orders.drain.is_set():
                    raise
        if self._in_doubt:
            # What the last claim has brought would wait for its lease to die. The worker asks for as long as
            # it has something else in hand, and once where it has not.
            with suppress(*_NO_ANSWER):
                await self._patience.until_available(partial(self._ask_for, 0), until=self._idle)

    async def _may_claim(self) -> int:
        """Wait until more may be claimed, and tell how much at most; 0 when nothing may be any more."""
        drain = self._orders.drain
        looks = 0
        while not drain.is_set():
            if self._slots.free <= 0:
                self._slots.changed.clear()
                await first_of(self._slots.changed.wait(), drain.wait())
            elif not self._equipment.can_work():
                await self._patience.pause(_LOOK_AGAIN, drain)
            elif self._equipment.gate.is_open():
                return self._slots.free
            elif looks >= _LOOKS_OF_THE_IDLE and not self._held:
                return 1
            else:
                looks += 1
                await self._patience.pause(_LOOK_AGAIN, drain)
        return 0

    async def _ask(self, most: int) -> None:
        # Reports may have asked for what was free while the server was away.
        slots = min(most, max(self._slots.free, 0))
        if not self._orders.drain.is_set() and (slots or self._in_doubt):
            await self._ask_for(slots)

    async def _ask_for(self, slots: int) -> None:
        """Claim, with the same token until an answer has brought leases.

        Claims that were made before with this token may have taken leases whose answer was lost, or may still
        take some. None of them has been begun, so that each is begun once, whichever answer brings it.
        """
        request = ClaimRequest(
            worker_id=self._welcome.worker_id,
            slots=slots,
            wait_seconds=_CLAIM_WAIT_SECONDS if slots else 0,
            token=self._token,
        )
        self._in_doubt = True
        with self._slots.taking(slots):
            # Its answer may carry leases, so it is never abandoned. A draining worker's heartbeat ends it.
            answer = await self._protocol.claim(request)
        self._in_doubt = False
        if answer.leases:
            self._token = self._equipment.ids.new_token()
        self._begin(answer.leases)

    def _begin(self, leases: tuple[LeaseMessage, ...]) -> None:
        for lease in leases:
            if lease.address in self._held:
                continue
            held = self._held[lease.address] = Held(lease)
            if self._orders.stop_all:
                held.stop.set()
            self._slots.take()
            task = asyncio.create_task(self._serve_attempt(held))
            self._tasks.add(task)
            self._idle.clear()
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._idle.set()
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("An attempt was dropped by an error of ours.", exc_info=task.exception())

    async def _serve_attempt(self, held: Held) -> None:
        equipment = self._equipment
        try:
            try:
                outcome = await perform(
                    held,
                    equipment.drivers,
                    self._protocol,
                    files=equipment.files,
                    patience=self._patience,
                    worker=equipment.name,
                )
            finally:
                self._slots.give_back()
            if not held.lost:
                held.reporting = True
                await self._report(held.lease, outcome)
        finally:
            self._held.pop(held.lease.address, None)

    async def _report(self, lease: LeaseMessage, outcome: Outcome) -> None:
        asking = _Asking(self._equipment.ids.new_token())
        try:
            try:
                await self._patience.until_available(partial(self._try_report, lease, outcome, asking))
            except StaleLeaseError:
                if not asking.in_doubt:
                    raise
                # An earlier try has arrived, and its answer, which may have brought leases, has not.
                await self._patience.until_available(partial(self._ask_again, asking))
        except (StaleLeaseError, WorkerNotFoundError):
            _LOG.info("The report on '%s' came too late, or twice.", lease.path)
        except LineshaftError as error:
            _LOG.warning("The server refuses the report on '%s': %s", lease.path, error)
            if isinstance(error, InvalidInputError) and outcome.state is not State.FAILED:
                reason = Reason(ReasonCode.WORKER_ERROR, "The server has refused what its worker reported.")
                await self._report(lease, Outcome(State.FAILED, reason))

    async def _try_report(self, lease: LeaseMessage, outcome: Outcome, asking: "_Asking") -> None:
        equipment = self._equipment
        may_ask = not self._orders.drain.is_set() and equipment.can_work() and equipment.gate.is_open()
        slots = max(self._slots.free, 0) if may_ask else 0
        report = Report(
            worker_id=self._welcome.worker_id,
            address=lease.address,
            token=lease.token,
            outcome=outcome,
            slots=slots,
            next_token=asking.token,
        )
        with self._slots.taking(slots):
            try:
                answer = await self._protocol.report(report)
            except _NO_ANSWER:
                asking.in_doubt = asking.in_doubt or slots > 0
                raise
        self._begin(answer.leases)

    async def _ask_again(self, asking: "_Asking") -> None:
        """Get what a report whose answer was lost has brought."""
        request = ClaimRequest(worker_id=self._welcome.worker_id, slots=0, token=asking.token)
        self._begin((await self._protocol.claim(request)).leases)

    async def _keep_leases(self) -> None:
        """Prolong the leases three times in their life, and hear at once what is to be stopped."""
        told: frozenset[AttemptAddress] = frozenset()
        while True:
            beat = self._patience.until_available(partial(self._beat, told), until=self._worthless)
            self._beating = asyncio.create_task(beat)
            try:
                await asyncio.wait({self._beating})
            finally:
                self._beating.cancel()
            if not self._beating.cancelled():
                asked, answer = self._beating.result()
                told = answer.stop
                self._heed(asked, answer)

    async def _beat(self, told: frozenset[AttemptAddress]) -> tuple[set[AttemptAddress], HeartbeatAnswer]:
        third = self._welcome.lease_seconds / 3
        held = [each for each in self._held.values() if not each.lost]
        heartbeat = Heartbeat(
            worker_id=self._welcome.worker_id,
            tokens=frozenset(each.lease.token for each in held),
            stopping=told,
            unknown=self._unknown - self._held.keys(),
            wait_seconds=min(third, _LONGEST_WAIT_SECONDS),
            load=self._equipment.gate.load(),
            draining=self._orders.drain.is_set(),
        )
        try:
            # On a line that swallows all, leases would die while one answer is waited for.
            async with asyncio.timeout(heartbeat.wait_seconds + max(third, _SHORTEST_PATIENCE_SECONDS)):
                answer = await self._protocol.heartbeat(heartbeat)
        except TimeoutError as error:
            raise ServerUnreachableError("The server has not answered a heartbeat in time.") from error
        except AccessError:
            if self._equipment.clock() - self._heard_at >= self._welcome.lease_seconds:
                self._worthless.set()
            raise
        self._heard_at = self._equipment.clock()
        return {each.lease.address for each in held}, answer

    def _heed(self, asked: set[AttemptAddress], answer: HeartbeatAnswer) -> None:
        self._unknown = answer.living - asked - self._held.keys()
        for address, held in self._held.items():
            if address in answer.stop:
                held.stop.set()
            elif address in asked and address not in answer.living and not held.reporting:
                _LOG.warning("The lease on '%s' is lost, its work is dropped.", held.lease.path)
                held.drop()
        if answer.drain and not self._orders.drain.is_set():
            _LOG.info("Draining, as the server says: nothing more is claimed.")
            self._orders.drain.set()

    async def _drop_all(self) -> None:
        for held in self._held.values():
            held.drop()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
