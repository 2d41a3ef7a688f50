"""One seed: a fleet, its users, what goes wrong, and what becomes of it."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

from lineshaft.model.limits import ANY_OTHER, NO_LIMITS, Limits
from lineshaft.model.run import Run
from simulation.audit import Audit, held, unended
from simulation.blobs import SharedBlobs
from simulation.database import SharedDatabase
from simulation.faults import Faults
from simulation.ledger import BrokenPromiseError, Ledger
from simulation.loop import NumberedTask, StuckError, VirtualLoop
from simulation.network import Network
from simulation.rest import Rest
from simulation.server import Server, Site
from simulation.user import User
from simulation.watcher import Watcher
from simulation.worker import SimulatedWorker

_LONGEST_REST_SECONDS: Final = 3 * 3600.0
_LOOK_EVERY_SECONDS: Final = 1.0
_LIMITS: Final = (
    NO_LIMITS,
    NO_LIMITS,
    Limits(pipelines={ANY_OTHER: 1}),
    Limits(pipelines={"amber": 2}, labels={"gpu": 1}),
)
_WATCHED: Final = 0.1
_MOST_CANCELS: Final = 10_000
_FAULTY_SECONDS: Final = (5.0, 90.0)


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a seed.

    Attributes:
        seed: which one.
        findings: the invariants that did not hold; none when all is well.
        trace: what happened, line by line, where that was asked for.
        seconds: how long it took in virtual time.
        steps: how many steps its tasks made.
        runs: how many runs there were.
        fingerprint: the next number that chance would have given, which differs wherever anything else does.
    """

    seed: int
    findings: tuple[str, ...]
    trace: tuple[str, ...]
    seconds: float
    steps: int
    runs: int
    fingerprint: float


def play(seed: int, *, traced: bool = False) -> Played:
    """Play one seed from its beginning to its rest."""
    world = World(seed, traced=traced)
    with _logging(world.ledger):
        try:
            world.play()
        except Exception as error:
            error.add_note(f"Play it again with: make simulate SEED={seed}")
            raise
    ledger, loop = world.ledger, world.loop
    return Played(
        seed=seed,
        findings=tuple(ledger.findings),
        trace=tuple(ledger.trace or ()),
        seconds=loop.time(),
        steps=loop.steps,
        runs=world.run_count(),
        fingerprint=world.fingerprint,
    )


class World:
    """All that a seed consists of.

    Attributes:
        loop: on which everything runs.
        ledger: what is known outside of the servers.
        fingerprint: what chance would have given next, when everything was over.
    """

    def __init__(self, seed: int, *, traced: bool = False) -> None:
        """Set a fleet up that the seed chooses."""
        random = Random(seed)
        self._random = random
        self.fingerprint = 0.0
        self.loop = VirtualLoop(random)
        self.ledger = Ledger(self.loop.time, [] if traced else None)
        self._faults = Faults(random)
        self._blobs = SharedBlobs(self._faults)
        limits = random.choice(_LIMITS)
        audit = Audit(self.ledger, self._remembered, limits)
        self._database = SharedDatabase(self.loop, self._faults, audit, random)
        count = random.choice((1, 2, 2, 3))
        site = Site(
            self.loop,
            random,
            self._faults,
            self._database,
            self._blobs,
            self.ledger,
            sole_server=count == 1 and random.random() < 0.5,
            limits=limits,
        )
        self._servers = [Server(site, number) for number in range(1, count + 1)]
        network = Network(self.loop, self._faults, random, self._servers, self.ledger)
        self._workers = [
            SimulatedWorker(site, network, number) for number in range(1, random.randint(1, 3) + 1)
        ]
        names = [worker.name for worker in self._workers]
        self._user = User(network, self.ledger, random, names)
        self._watchers: list[Watcher] = []
        self._site = site

    def play(self) -> None:
        """Play it; what is wrong is in the ledger."""
        self.ledger.tell(f"{len(self._servers)} servers, {len(self._workers)} workers, {self._faults.rates}")
        try:
            self.loop.run_until_complete(self._live())
        except BrokenPromiseError:
            pass
        except StuckError as error:
            self.ledger.find(f"the simulation is stuck: {error}")
        except Exception as error:  # noqa: BLE001 # Whatever it is, the seed has failed, and the next is to be played.
            self.ledger.find(f"nothing can go on: {error!r}")
        if not self.ledger.findings:
            for context in self.loop.errors:
                self.ledger.find(f"nobody caught {context.get('exception')!r}: {context.get('message')}")
        self.fingerprint = self._random.random()
        self._bury()
        self.loop.close()

    def run_count(self) -> int:
        """Count the runs that there were."""
        (count,) = self._database.raw.execute("SELECT count(*) FROM runs").fetchone()
        return int(count)

    async def _live(self) -> None:
        for server in self._servers:
            server.start()
        for worker in self._workers:
            worker.start()
        troubles = asyncio.create_task(self._trouble())
        await self._user.prepare()
        until = self.loop.time() + self._random.uniform(*_FAULTY_SECONDS)
        for _ in range(self._random.randint(2, 5)):
            await self._user.act()
            self._perhaps_watch()
            await asyncio.sleep(self._random.choice((0.0, 0.01, 1.0, 10.0)))
            self._see()
        await asyncio.sleep(max(until - self.loop.time(), 0))
        troubles.cancel()
        self._heal()
        await self._come_to_rest()
        self._see()

    def _perhaps_watch(self) -> None:
        if self.ledger.triggered and self._random.random() < _WATCHED:
            run_id = self._random.choice(list(self.ledger.triggered))
            watcher = Watcher(self.loop, self._random, self._servers, self.ledger, run_id)
            self._watchers.append(watcher)
            watcher.connect()

    def _see(self) -> None:
        if self.ledger.findings:
            raise BrokenPromiseError

    async def _trouble(self) -> None:
        """Do, now and then, what operators and clocks do."""
        random = self._random
        while True:
            await asyncio.sleep(random.expovariate(0.1))
            if self._faults.rates.clock_jump and random.random() < 0.5:
                random.choice(self._servers).jump()
            what = random.random()
            if what < 0.1:
                random.choice(self._servers).stop()
            elif what < 0.25:
                random.choice(self._workers).drain()
            elif what < 0.3:
                random.choice(self._workers).stop_all()

    def _heal(self) -> None:
        """Let nothing go wrong any more; what is down comes back by itself."""
        self.ledger.tell("faults stop")
        self._faults.stop()
        for process in (*(each.process for each in self._servers), *(each.process for each in self._workers)):
            process.steps_left = None

    async def _come_to_rest(self) -> None:
        until = self.loop.time() + _LONGEST_REST_SECONDS
        while unended(self._database.raw) or not all(watcher.complete for watcher in self._watchers):
            self._see()
            if self.loop.time() > until:
                watching = sum(not watcher.complete for watcher in self._watchers)
                left = unended(self._database.raw)
                self.ledger.find(f"no rest: {left} runs and outbox entries, {watching} watchers are left")
                return
            await self._user.decide(held(self._database.raw))
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        self.ledger.tell("everything has come to rest")
        server = Server(self._site, 0)
        server.start()
        while server.plane is None:  # noqa: ASYNC110 # Virtual time costs nothing.
            await asyncio.sleep(0)
        rest = Rest(self._database.raw, self._blobs, self.ledger)
        await rest.check(server.plane, {watcher.run_id: watcher.seen for watcher in self._watchers})

    def _remembered(self, run_id: UUID, version: int) -> Run | None:
        for server in self._servers:
            if server.memory is not None and server.process.alive:
                run = server.memory.runs.get(run_id)
                if run is not None and run.version == version:
                    return run
        return None

    def _bury(self) -> None:
        """Cancel all that is left, so that nothing of it outlives the seed."""
        self.ledger.closed = True
        self.loop.thaw()
        tasks = self.loop.unended()
        self.loop.run_until_complete(_cancelled(tasks))


async def _cancelled(tasks: list[NumberedTask[object]]) -> None:
    for _ in range(_MOST_CANCELS):
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
        tasks = [task for task in tasks if not task.done()]
        if not tasks:
            return
    raise StuckError(f"tasks cannot be cancelled: {tasks}")


@contextmanager
def _logging(ledger: Ledger) -> Iterator[None]:
    """Take what the product logs into the trace; an error that it logs is one of ours."""
    handler = _LedgerHandler(ledger)
    loggers = [logging.getLogger("lineshaft"), logging.getLogger("pipeline")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.propagate = False
    loggers[0].setLevel(logging.INFO if ledger.trace is not None else logging.ERROR)
    loggers[1].setLevel(logging.CRITICAL)
    loggers[0].addHandler(handler)
    try:
        yield
    finally:
        loggers[0].removeHandler(handler)
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.propagate = propagate


class _LedgerHandler(logging.Handler):
    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        self._ledger.tell(f"{record.name}: {record.getMessage()}")
        if record.levelno >= logging.ERROR:
            self._ledger.find(f"{record.name} logs an error: {record.getMessage()} {record.exc_info}")
