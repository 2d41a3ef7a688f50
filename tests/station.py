"""Servers and workers in processes of their own, and the network between them."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from network import PATIENCE_SECONDS, Network, network
from server_process import READY, ServerProcess, server_process

CREDENTIALS = ("admin", "admin")

_LONG = 3_600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a station is to be.

    Attributes:
        folder: where all its files are; also the root of its git repositories.
        database_url: a PostgreSQL database; empty means SQLite.
        replicas: how many servers there are.
        lease_seconds: how long a worker may be silent.
        processes: how many processes a server has.
        variables: settings of the servers besides.
    """

    folder: Path
    database_url: str = ""
    replicas: int = 1
    lease_seconds: float = _LONG
    processes: int = 1
    variables: Mapping[str, str] = field(default_factory=dict)


class Started:
    """A process that can be started anew after it was killed."""

    def __init__(self, launch: Callable[[], AbstractContextManager[ServerProcess]], ready: str) -> None:
        self._launch = launch
        self._ready = ready
        self._stack = ExitStack()
        self._process: ServerProcess | None = None

    def launch(self) -> None:
        """Start it."""
        self._stack.close()
        self._process = self._stack.enter_context(self._launch())

    def wait(self) -> str:
        """Wait until it serves, and return what it says then."""
        assert self._process is not None
        return self._process.line_with(self._ready)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.process.send_signal(number)

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """End it by a signal, and return its exit code and its log."""
        assert self._process is not None
        return self._process.stop(number)

    def close(self) -> None:
        """Kill it if it still runs."""
        self._stack.close()


class Replica(Started):
    """A server, and a client of its API."""

    def __init__(self, plan: Plan) -> None:
        besides: dict[str, Any] = dict(plan.variables)
        super().__init__(
            lambda: server_process(
                plan.folder / "server",
                "server",
                LINESHAFT_DATABASE_URL=plan.database_url,
                LINESHAFT_LEASE_SECONDS=str(plan.lease_seconds),
                LINESHAFT_GIT_ROOTS=str(plan.folder),
                LINESHAFT_WORKERS=str(plan.processes),
                **besides,
            ),
            READY,
        )
        self.address = ""
        self.api: httpx2.Client

    def wait(self) -> str:
        """Wait until it serves, and connect to it."""
        line = super().wait()
        self.address = line.rpartition(READY)[2].strip()
        client = httpx2.Client(base_url=self.address, auth=CREDENTIALS, timeout=PATIENCE_SECONDS)
        self.api = self._stack.enter_context(client)
        return line


class Station:
    """Replicas, workers that reach one of them over a network, and that network."""

    def __init__(self, plan: Plan, between: Network) -> None:
        self.plan = plan
        self.network = between
        self.replicas = [Replica(plan) for _ in range(plan.replicas)]
        self.serving = 0
        self.workers: dict[str, Started] = {}

    @property
    def api(self) -> httpx2.Client:
        """A client of the replica that the network leads to."""
        return self.replicas[self.serving].api

    def lead_to(self, number: int) -> None:
        """Have the network lead to a replica."""
        self.serving = number
        self.network.lead_to(self.replicas[number].address)

    def start_replicas(self) -> None:
        """Start all replicas at once, and have the network lead to the first."""
        for replica in self.replicas:
            replica.launch()
        for replica in self.replicas:
            replica.wait()
        self.lead_to(0)

    def start_worker(self, name: str, *, address: str = "") -> Started:
        """Start a worker, for the first time or again, and wait until it serves.

        Its way leads over the network where no address is given.
        """
        reached = address or self.network.address
        if name in self.workers:
            self.workers[name].close()
        worker = self.workers[name] = Started(lambda: self._worker(name, reached), " serves ")
        worker.launch()
        worker.wait()
        return worker

    def close(self) -> None:
        """Kill all that still runs."""
        for each in (*self.workers.values(), *self.replicas):
            each.close()

    def _worker(self, name: str, address: str) -> AbstractContextManager[ServerProcess]:
        return server_process(
            self.plan.folder / name,
            "worker",
            LINESHAFT_URL=address,
            LINESHAFT_NAME=name,
            LINESHAFT_SLOTS="4",
            LINESHAFT_MAX_LOAD="1",
            LINESHAFT_GRACE_SECONDS="60",
            LINESHAFT_GIT_ROOTS=str(self.plan.folder),
        )


@contextmanager
def station(plan: Plan) -> Iterator[Station]:
    """Have a station whose replicas serve; it has no worker yet."""
    with network() as between:
        opened = Station(plan, between)
        try:
            opened.start_replicas()
            yield opened
        finally:
            opened.close()
