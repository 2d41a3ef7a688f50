"""Servers and workers in processes of their own, with a database and a network that break when a test says so."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from network import PATIENCE_SECONDS, Network, network
from server_process import ServerProcess, server_process

CREDENTIALS = ("admin", "admin")

_LONG = 3_600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a station is to be.

    Attributes:
        folder: where all its files are; also the root of its git repositories.
        database_url: a PostgreSQL database; None means SQLite.
        replicas: how many servers there are.
        lease_seconds: how long a worker may be silent.
        settings: further settings of the servers, and of the workers.
    """

    folder: Path
    database_url: str | None = None
    replicas: int = 1
    lease_seconds: float = _LONG
    settings: dict[str, str] = field(default_factory=dict)


class Started:
    """A process that can be started anew after it was killed."""

    def __init__(self, start: Callable[[ExitStack], ServerProcess]) -> None:
        self._start = start
        self._stack = ExitStack()
        self.process: ServerProcess | None = None

    @property
    def runs(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self.process is not None

    def start(self) -> ServerProcess:
        """Start it."""
        assert self.process is None
        self.process = self._start(self._stack)
        return self.process

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.process.send_signal(number)

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """End it by a signal, and return its exit code and its log."""
        assert self.process is not None
        ended = self.process.stop(number)
        self.process = None
        return ended

    def close(self) -> None:
        """Kill it if it still runs."""
        self._stack.close()


class Replica(Started):
    """A server, and a client of its API."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(self._start_server)
        self._plan = plan
        self.address = ""
        self.api: httpx2.Client

    def _start_server(self, stack: ExitStack) -> ServerProcess:
        stack.close()
        database = (
            {} if self._plan.database_url is None else {"LINESHAFT_DATABASE_URL": self._plan.database_url}
        )
        process = stack.enter_context(
            server_process(
                self._plan.folder / "server",
                "server",
                LINESHAFT_LEASE_SECONDS=str(self._plan.lease_seconds),
                LINESHAFT_GIT_ROOTS=str(self._plan.folder),
                **database,
                **self._plan.settings,
            )
        )
        self.address = process.address()
        self.api = stack.enter_context(
            httpx2.Client(base_url=self.address, auth=CREDENTIALS, timeout=PATIENCE_SECONDS)
        )
        return process


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

    def start_worker(self, name: str, *, address: str = "") -> Started:
        """Start a worker, for the first time or again, and wait until it serves.

        Its way leads over the network where no address is given.
        """
        reached = address or self.network.address
        worker = self.workers.setdefault(
            name, Started(lambda stack: self._start_worker(stack, name, reached))
        )
        worker.start()
        return worker

    def close(self) -> None:
        """Kill all that still runs."""
        for each in (*self.workers.values(), *self.replicas):
            each.close()

    def _start_worker(self, stack: ExitStack, name: str, address: str) -> ServerProcess:
        stack.close()
        process = stack.enter_context(
            server_process(
                self.plan.folder / name,
                "worker",
                LINESHAFT_URL=address,
                LINESHAFT_NAME=name,
                LINESHAFT_SLOTS="4",
                LINESHAFT_MAX_LOAD="1",
                LINESHAFT_GRACE_SECONDS="60",
                LINESHAFT_GIT_ROOTS=str(self.plan.folder),
                **self.plan.settings,
            )
        )
        process.line_with(" serves ")
        return process


@contextmanager
def station(plan: Plan) -> Iterator[Station]:
    """Have a station whose replicas serve; it has no worker yet."""
    with network() as between:
        opened = Station(plan, between)
        try:
            for replica in opened.replicas:
                replica.start()
            opened.lead_to(0)
            yield opened
        finally:
            opened.close()
