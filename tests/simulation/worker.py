"""A worker of a simulated fleet: the real agent, and the way of its calls to the servers."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from random import Random
from typing import Any, Final, TypeVar

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import ConflictError
from lineshaft.model.work import WorkKind
from lineshaft.sdk.agent.agent import Agent
from lineshaft.sdk.agent.load import LoadGate
from lineshaft.sdk.agent.patience import Patience
from lineshaft.sdk.agent.session import Equipment
from lineshaft.services.control_plane import ControlPlane
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
from simulation.driver import SimulatedDriver
from simulation.identity import SeededIds, ServerClock
from simulation.ledger import Ledger
from simulation.network import PATIENCE_SECONDS, Network
from simulation.pipelines import DRIVER, LABELS
from simulation.process import WORLD, Process
from simulation.server import Site

T = TypeVar("T")

_ALL_KINDS: Final = (WorkKind.RUN, WorkKind.BUILD, WorkKind.DEPLOY, DRIVER)
_MAX_LOAD: Final = 0.95


class WorkerLine:
    """What a worker has instead of HTTP; see `sdk.worker_protocol.WorkerProtocol`."""

    def __init__(self, network: Network, ledger: Ledger, name: str) -> None:
        """Connect a worker."""
        self._network = network
        self._ledger = ledger
        self._name = name

    async def register(self, hello: Hello) -> Welcome:
        """Begin a session."""
        return await self._call(lambda plane: plane.fleet.desk.register(hello))

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        """Ask for attempts."""
        return await self._call(lambda plane: plane.fleet.desk.claim(request), request.wait_seconds)

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Prolong leases."""
        return await self._call(lambda plane: plane.fleet.desk.heartbeat(heartbeat), heartbeat.wait_seconds)

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        """Say which commit the source is at."""
        return await self._call(lambda plane: plane.fleet.desk.resolve_source(report))

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append to a log; what is acknowledged is noted."""
        size = await self._call(lambda plane: plane.fleet.desk.append_log(address, token, offset, data))
        self._ledger.appended[address] = max(self._ledger.appended.get(address, 0), size)
        return size

    async def report(self, report: Report) -> LeasesAnswer:
        """Tell how an attempt ended; what is acknowledged is noted."""
        answer = await self._call(lambda plane: plane.fleet.desk.report(report))
        self._ledger.reported[report.address] = report.outcome
        return answer

    async def _call(
        self, do: Callable[[ControlPlane], Coroutine[Any, Any, T]], wait_seconds: float = 0.0
    ) -> T:
        return await self._network.call(self._name, do, patience_s=PATIENCE_SECONDS + wait_seconds)


class SimulatedWorker:
    """One of the workers: it is started again whenever it was killed or has ended.

    Attributes:
        name: under which it registers, at each start the same.
        process: the one that runs now, or ran last.
        agent: the one that runs now, or ran last.
    """

    def __init__(self, site: Site, network: Network, number: int) -> None:
        """Set it up, but do not start it."""
        self._site = site
        self._network = network
        self._starts = 0
        self.name = f"worker-{number}"
        self._hello = _hello(self.name, number, site.random)
        self.process = Process(self.name, alive=False)
        self.agent: Agent | None = None

    def start(self) -> None:
        """Start it, if it does not run."""
        if self.process.alive:
            return
        site = self._site
        self._starts += 1
        life = site.faults.life(site.faults.rates.worker_crash)
        self.process = Process(f"{self.name}, start {self._starts}", steps_left=life)
        self.process.died.append(self._died)
        site.ledger.tell(f"{self.process.name} begins")
        site.loop.spawn(self.process, self._run())

    def drain(self) -> None:
        """Tell it to end when what it does has ended, as SIGTERM does."""
        if self.process.alive and self.agent is not None:
            self._site.ledger.tell(f"{self.process.name} drains")
            self.agent.drain()

    def stop_all(self) -> None:
        """Tell it to stop what it does, as a second SIGTERM does."""
        if self.process.alive and self.agent is not None:
            self._site.ledger.tell(f"{self.process.name} stops its work")
            self.agent.stop_all()

    async def _run(self) -> None:
        site = self._site
        driver = SimulatedDriver(site.ledger, site.random, self.process.name)
        equipment = Equipment(
            protocol=WorkerLine(self._network, site.ledger, self.name),
            drivers=dict.fromkeys(self._hello.kinds, driver),
            name=self.name,
            slots=self._hello.slots,
            gate=LoadGate(_MAX_LOAD, site.random.random, site.loop.time),
            patience=Patience(jitter=site.random),
            clock=site.loop.time,
            ids=SeededIds(ServerClock(site.loop, timedelta()), site.random),
        )
        self.agent = Agent(self._hello, equipment)
        try:
            await self.agent.run()
        except ConflictError as error:
            # A request to register that was doubled, and late, has ended the session that it had begun.
            site.ledger.tell(f"{self.process.name} ends: {error}")
        self.process.kill()

    def _died(self) -> None:
        site = self._site
        site.ledger.tell(f"{self.process.name} is gone")
        site.loop.call_later(site.random.uniform(0.1, 60), self.start, context=WORLD)


def _hello(name: str, number: int, random: Random) -> Hello:
    """Tell what a worker offers; the first one serves everything, so that everything can come to an end."""
    if number == 1:
        return Hello(
            name=name,
            kinds=frozenset(_ALL_KINDS),
            slots=random.choice((1, 2, 4)),
            labels=LABELS,
            cpus=random.choice((None, 2)),
        )
    return Hello(
        name=name,
        kinds=frozenset(random.sample(_ALL_KINDS, random.randint(1, 3))),
        slots=random.choice((1, 2, 4)),
        labels=frozenset(label for label in sorted(LABELS) if random.random() < 0.5),
        cpus=random.choice((None, 1, 2)),
    )
