"""A server of a simulated fleet: a real control plane with its background work, again and again."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from lineshaft.model.limits import Limits
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store.backoff import Backoff
from lineshaft.store.session import Memory
from lineshaft.store.sql_store import SqlStore
from lineshaft.store.wakeups import LocalWakeUps
from simulation.answer import Answer, refuse
from simulation.blobs import SharedBlobs
from simulation.database import SharedDatabase
from simulation.faults import Faults
from simulation.identity import SeededIds, ServerClock
from simulation.ledger import Ledger
from simulation.loop import VirtualLoop
from simulation.pipelines import read_again, read_made
from simulation.process import WORLD, Process

LEASE_TIME: Final = timedelta(seconds=30)
_RUN_TIME_LIMIT: Final = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Site:
    """What all servers of a fleet share.

    Attributes:
        loop: on which everything runs.
        random: where all chance comes from.
        faults: what goes wrong.
        database: where the state is.
        blobs: where sealed logs are.
        ledger: what is known outside.
        sole_server: whether there is but one server, which then relies on its memory.
        limits: how many attempts may run at once.
    """

    loop: VirtualLoop
    random: Random
    faults: Faults
    database: SharedDatabase
    blobs: SharedBlobs
    ledger: Ledger
    sole_server: bool
    limits: Limits


class Server:
    """One of the servers: it is started again whenever it was killed or stopped.

    Attributes:
        name: for the trace.
        process: the one that runs now, or ran last.
        plane: its services; None while it takes no calls.
        memory: what its store remembers.
    """

    def __init__(self, site: Site, number: int) -> None:
        """Set it up, but do not start it."""
        self._site = site
        self.name = f"server {number}"
        self._starts = 0
        self._ahead = timedelta(seconds=site.random.uniform(-2, 2))
        self._calls: dict[Answer, None] = {}
        self._stop = asyncio.Event()
        self._served = asyncio.Event()
        self.process = Process(self.name, alive=False)
        self.plane: ControlPlane | None = None
        self.memory: Memory | None = None
        self.clock = ServerClock(site.loop, self._ahead)

    def start(self) -> None:
        """Start it, if it does not run."""
        if self.process.alive:
            return
        site = self._site
        self._starts += 1
        self._stop = asyncio.Event()
        self._served = asyncio.Event()
        self._served.set()
        life = site.faults.life(site.faults.rates.server_crash)
        self.process = Process(f"{self.name}, start {self._starts}", steps_left=life)
        self.process.died.append(self._died)
        site.ledger.tell(f"{self.process.name} begins")
        site.loop.spawn(self.process, self._run())

    def stop(self) -> None:
        """Tell it to stop, as SIGTERM does."""
        if self.plane is not None:
            self._site.ledger.tell(f"{self.process.name} is told to stop")
            self.plane.fleet.desk.stop_waiting()
            self.plane = None
            self._stop.set()

    def opened(self, call: Answer) -> None:
        """Note a call that it serves."""
        self._calls[call] = None
        self._served.clear()

    def closed(self, call: Answer) -> None:
        """Note that a call was served."""
        self._calls.pop(call, None)
        if not self._calls:
            self._served.set()

    async def _run(self) -> None:
        site = self._site
        self.clock = ServerClock(site.loop, self._ahead)
        ids = SeededIds(self.clock, site.random)
        wakeups = LocalWakeUps()
        database = site.database.open(self.process, wakeups)
        self.memory = Memory(read_again, ids, sole_writer=site.sole_server, read_generated=read_made)
        store = SqlStore(database, self.memory, wakeups, Backoff(asyncio.sleep, random=site.random))
        plane = ControlPlane(
            store,
            site.blobs,
            self.clock,
            ids,
            check=lambda _: None,
            lease_time=LEASE_TIME,
            run_time_limit=_RUN_TIME_LIMIT,
            limits=site.limits,
            chance=site.random,
        )
        async with plane.running():
            self.plane = plane
            await self._stop.wait()
            await self._served.wait()
        await store.close()
        self.process.kill()

    def _died(self) -> None:
        site = self._site
        site.ledger.tell(f"{self.process.name} is gone")
        self.plane = None
        for call in self._calls:
            site.loop.call_later(site.faults.delay(), refuse, call, "the connection was reset", context=WORLD)
        self._calls.clear()
        site.loop.call_later(site.random.uniform(0.1, 60), self.start, context=WORLD)

    def jump(self) -> None:
        """Have its clock jump."""
        by = timedelta(seconds=self._site.random.choice((-20, -1, 1, 10, 45, 300)))
        self._site.ledger.tell(f"the clock of {self.name} jumps by {by.total_seconds():.0f} s")
        self._ahead += by
        self.clock.jump(by)
