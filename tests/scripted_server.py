"""A server whose every answer a test gives by hand, and a worker at work for it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.ids import CountingIds, Ids
from lineshaft.sdk.agent.agent import Agent
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.agent.load import LoadGate
from lineshaft.sdk.agent.patience import Patience
from lineshaft.sdk.agent.session import Equipment
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
from worker_tasks import RUN_ID, lease_of

M = TypeVar("M")
A = TypeVar("A")

LEASE_SECONDS = 30.0
SUCCEEDED = Outcome(State.SUCCEEDED, exit_code=0)


@dataclass(eq=False)
class Call(Generic[M, A]):
    """A call that waits for its answer."""

    message: M
    result: asyncio.Future[A]

    def answer(self, answer: A) -> None:
        self.result.set_result(answer)

    def fail(self, error: Exception) -> None:
        self.result.set_exception(error)

    @property
    def abandoned(self) -> bool:
        return self.result.cancelled()


class _Calls(Generic[M, A]):
    def __init__(self) -> None:
        self._come: asyncio.Queue[Call[M, A]] = asyncio.Queue()

    async def take(self, message: M) -> A:
        call: Call[M, A] = Call(message, asyncio.get_running_loop().create_future())
        self._come.put_nowait(call)
        return await call.result

    async def next(self) -> Call[M, A]:
        return await self._come.get()

    def none_waits(self) -> bool:
        return self._come.empty()


class ScriptedServer:
    """Speaks the worker protocol; calls wait in the order in which they came."""

    def __init__(self) -> None:
        self.hellos: _Calls[Hello, Welcome] = _Calls()
        self.claims: _Calls[ClaimRequest, LeasesAnswer] = _Calls()
        self.heartbeats: _Calls[Heartbeat, HeartbeatAnswer] = _Calls()
        self.reports: _Calls[Report, LeasesAnswer] = _Calls()

    async def register(self, hello: Hello) -> Welcome:
        return await self.hellos.take(hello)

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        return await self.claims.take(request)

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        return await self.heartbeats.take(heartbeat)

    async def report(self, report: Report) -> LeasesAnswer:
        return await self.reports.take(report)

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        raise NotImplementedError(report)

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        raise NotImplementedError(address, token, offset, data)


@dataclass(eq=False)
class Work:
    """An attempt that a driver works on until the test ends it, or it is told to stop."""

    assignment: Assignment
    outcome: asyncio.Future[Outcome]

    @property
    def address(self) -> AttemptAddress:
        return self.assignment.lease.address

    def end(self, outcome: Outcome = SUCCEEDED) -> None:
        self.outcome.set_result(outcome)

    async def told_to_stop(self) -> None:
        await self.assignment.stop.wait()


class ScriptedDriver:
    """Does what the test says. Work that is told to stop waits for its end all the same."""

    def __init__(self) -> None:
        self._begun: asyncio.Queue[Work] = asyncio.Queue()

    async def perform(self, assignment: Assignment) -> Outcome:
        work = Work(assignment, asyncio.get_running_loop().create_future())
        self._begun.put_nowait(work)
        return await work.outcome

    async def begun(self) -> Work:
        return await self._begun.get()


@dataclass(eq=False)
class Pause:
    """A pause that goes on until the test ends it."""

    length: timedelta
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        self.over.set()


class Pauses:
    """Takes the place of sleeping."""

    def __init__(self) -> None:
        self._begun: asyncio.Queue[Pause] = asyncio.Queue()

    async def sleep(self, length: timedelta) -> None:
        pause = Pause(length)
        self._begun.put_nowait(pause)
        await pause.over.wait()

    def none_waits(self) -> bool:
        return self._begun.empty()

    async def next(self) -> Pause:
        """Wait for a pause to begin."""
        return await self._begun.get()


@dataclass
class Load:
    """How busy the host is, as the test says."""

    now: float = 0.0
    seconds: float = 0.0

    def source(self) -> float:
        return self.now

    def clock(self) -> float:
        # Each look is a fresh one.
        self.seconds += 1
        return self.seconds


class ChosenIds(CountingIds):
    """Ids in a row, and tokens as long as those that workers choose."""

    def new_token(self) -> str:
        return f"chosen-by-worker-{super().new_token()}"


@dataclass
class Scene:
    """A worker in a test's hands.

    Attributes:
        can_work: whether what its tasks need is there.
        worker: the worker, where `working` has begun it.
        running: its task, likewise.
    """

    server: ScriptedServer = field(default_factory=ScriptedServer)
    driver: ScriptedDriver = field(default_factory=ScriptedDriver)
    pauses: Pauses = field(default_factory=Pauses)
    load: Load = field(default_factory=Load)
    can_work: bool = True
    seconds: float = 0.0
    sessions: int = 0
    ids: Ids = field(default_factory=ChosenIds)
    worker: Agent = field(init=False)
    running: asyncio.Task[Any] = field(init=False)

    def agent(self, *, slots: int = 2, max_load: float | None = None) -> Agent:
        equipment = Equipment(
            self.server,
            {WorkKind.RUN: self.driver},
            "w",
            slots,
            LoadGate(max_load, self.load.source, self.load.clock),
            Patience(self.pauses.sleep),
            lambda: self.seconds,
            self.ids,
            can_work=lambda: self.can_work,
        )
        return Agent(Hello(name="w", kinds=frozenset({WorkKind.RUN}), slots=slots), equipment)

    async def welcome(self) -> Hello:
        """Answer the worker's hello."""
        self.sessions += 1
        hello = await self.server.hellos.next()
        hello.answer(Welcome(worker_id=UUID(int=self.sessions), lease_seconds=LEASE_SECONDS))
        return hello.message

    async def give(self, *leases: LeaseMessage) -> list[Work]:
        """Answer a claim with leases, and wait until the work has begun."""
        claim = await self.server.claims.next()
        claim.answer(LeasesAnswer(leases=leases))
        return [await self.driver.begun() for _ in leases]


def lease(number: int) -> LeaseMessage:
    """Make a lease on an attempt of its own, with a token of its own."""
    return lease_of("true", address=AttemptAddress(RUN_ID, number, 1), token=f"token-{number}")


def living(*leases: LeaseMessage, stop: Iterable[LeaseMessage] = (), drain: bool = False) -> HeartbeatAnswer:
    """Say which leases live."""
    return HeartbeatAnswer(
        living=frozenset(each.address for each in leases),
        stop=frozenset(each.address for each in stop),
        drain=drain,
    )


@asynccontextmanager
async def at_work(agent: Agent) -> AsyncIterator[asyncio.Task[Any]]:
    """Have a worker run; it is cancelled at the end if it still does."""
    running = asyncio.create_task(agent.run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def working(
    *, slots: int = 2, max_load: float | None = None, load: float = 0.0
) -> AsyncIterator[Scene]:
    """Have a worker run whose hello was answered, on a host that is so busy."""
    scene = Scene(load=Load(load))
    scene.worker = scene.agent(slots=slots, max_load=max_load)
    async with at_work(scene.worker) as scene.running:
        await scene.welcome()
        yield scene
