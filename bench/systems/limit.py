"""The bare limit: only what cannot be left out, in uvicorn, without a database, a queue or a worker."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Self

from measure.connection import Connection
from measure.failure import BenchmarkError
from measure.load import Target
from measure.server_process import ServerProcess, clean_environment, free_port
from systems.system import SLOTS, Job, Payload

_PROGRAM: Final = Path(__file__).with_name("limit_server.py")


class Limit:
    """Starts `limit_server.py` with this very interpreter."""

    name = "limit"

    def versions(self) -> dict[str, str]:
        """Name the parts the limit is made of."""
        return {name: version(name) for name in ("fastapi", "uvicorn", "uvloop", "httptools")}

    def prepare(self, folder: Path, jobs: Sequence[Job]) -> None:
        """Do nothing: the server keeps nothing."""

    @contextmanager
    def launch(self, folder: Path, jobs: Sequence[Job]) -> Iterator["LimitServer"]:
        """Start the server."""
        del jobs
        port = free_port()
        process = ServerProcess(
            [sys.executable, _PROGRAM, str(port), str(SLOTS), folder],
            environment=clean_environment(folder, Path(sys.executable).parent),
            folder=folder,
            name=self.name,
        )
        try:
            yield LimitServer(self.name, (process.pid,), process.wait_until_healthy(port, "/health"), port)
        finally:
            process.stop()


@dataclass(frozen=True, slots=True)
class LimitServer:
    """A running limit server."""

    name: str
    pids: tuple[int, ...]
    cold_start_seconds: float
    port: int

    def client(self) -> "LimitClient":
        """Connect."""
        return LimitClient(Connection(self.port))

    def watcher(self) -> "LimitWatcher":
        """Connect in order to hear of ends."""
        return LimitWatcher(Connection(self.port))

    def status(self, run: str) -> Target:
        """Tell where nothing is to be had: an empty FastAPI route."""
        del run
        return Target(self.port, "/empty", {})


class LimitClient:
    """One connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def trigger(self, job: Job) -> str:
        """Start a run."""
        document = {
            "commands": job.commands,
            "parallel": job.parallel,
            "repository": None if job.repository is None else str(job.repository),
        }
        run: str = self._connection.post("/runs", document)["id"]
        return run

    def check(self, run: str, job: Job) -> None:
        """Compare the exit codes."""
        codes = self._connection.get(f"/runs/{run}/end")["exit_codes"]
        if codes != [0] * len(job.commands):
            raise BenchmarkError(f"the limit's run {run} of {job.name} ended with {codes}")

    def confirm_log(self, run: str, payload: Payload) -> None:
        """Ask for the last byte."""
        if self._connection.size(f"/runs/{run}/log") != payload.size:
            raise BenchmarkError(f"the limit's log of run {run} is not whole")

    def read_log(self, run: str, payload: Payload) -> Iterator[bytes]:
        """Read the file."""
        del payload
        return self._connection.read(f"/runs/{run}/log")


class LimitWatcher:
    """Waits by a request that is answered when the run has ended."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def wait(self, runs: Sequence[str]) -> None:
        """Wait for each that can still be under way."""
        for run in runs[-SLOTS:]:
            self._connection.get(f"/runs/{run}/end")
