"""Somebody who watches a run as it goes, over servers that come and go."""

from functools import partial
from random import Random
from typing import Final
from uuid import UUID

from lineshaft.model.errors import LineshaftError
from lineshaft.services.control_plane import ControlPlane
from simulation.ledger import Ledger
from simulation.loop import VirtualLoop
from simulation.process import WORLD
from simulation.server import Server

_RECONNECT_SECONDS: Final = 2.0


class Watcher:
    """Follows the events of a run, each time from where the connection before broke off.

    Attributes:
        run_id: the run.
        seen: the number of the last event that it has heard of.
        complete: whether the stream has come to its end.
    """

    def __init__(
        self, loop: VirtualLoop, random: Random, servers: list[Server], ledger: Ledger, run_id: UUID
    ) -> None:
        """Watch a run from its first event on."""
        self._loop = loop
        self._random = random
        self._servers = servers
        self._ledger = ledger
        self._connections = 0
        self.run_id = run_id
        self.seen = 0
        self.complete = False

    def connect(self) -> None:
        """Connect to any server, now or as soon as there is one."""
        self._connections += 1
        server = self._random.choice(self._servers)
        broke_off = partial(self._broke_off, self._connections)
        if server.plane is None:
            broke_off()
            return
        server.process.died.append(broke_off)
        self._loop.spawn(server.process, self._follow(server.plane, self._connections))

    def _broke_off(self, connection: int) -> None:
        if connection == self._connections and not self.complete:
            # It breaks off once, although both an error and the server's death may tell of it.
            self._connections += 1
            self._loop.call_later(_RECONNECT_SECONDS, self.connect, context=WORLD)

    async def _follow(self, plane: ControlPlane, connection: int) -> None:
        try:
            async for event in plane.runs.follow(self.run_id, after=self.seen):
                if event is None:
                    continue
                if event.number != self.seen + 1:
                    self._ledger.find(f"a watcher hears of event {event.number} behind {self.seen}")
                self.seen = event.number
        except LineshaftError:
            self._broke_off(connection)
        else:
            self.complete = True
