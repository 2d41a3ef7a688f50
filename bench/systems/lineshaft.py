"""Lineshaft: `lineshaft up`, server and worker in one process on embedded SQLite."""

import base64
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Self

from measure.connection import Connection
from measure.failure import BenchmarkError
from measure.load import Target
from measure.profile import Profiler
from measure.server_process import HOST, ServerProcess, clean_environment, free_port
from systems.system import SLOTS, Job, Payload

_HEADERS: Final = {"Authorization": "Basic " + base64.b64encode(b"admin:admin").decode()}
_STAGE_SECONDS: Final = 120


class Lineshaft:
    """Starts the `lineshaft` that is installed beside this interpreter."""

    name = "Lineshaft"

    def __init__(self, profiler: Profiler | None = None) -> None:
        """Prepare to start it, under the eyes of the profiler if there is one."""
        self._profiler = profiler

    def versions(self) -> dict[str, str]:
        """Name Lineshaft's own version."""
        return {"lineshaft": version("lineshaft")}

    def prepare(self, folder: Path, jobs: Sequence[Job]) -> None:
        """Do nothing: the first start makes what it needs."""

    @contextmanager
    def launch(self, folder: Path, jobs: Sequence[Job]) -> Iterator["LineshaftServer"]:
        """Start the server, and create a pipeline a job."""
        port = free_port()
        roots = sorted({str(job.repository.parent) for job in jobs if job.repository is not None})
        environment = clean_environment(folder, Path(sys.executable).parent)
        environment["LINESHAFT_SLOTS"] = str(SLOTS)
        # No other system here isolates what it runs; sandbox.py measures what that costs.
        environment["LINESHAFT_SANDBOX"] = "none"
        if roots:
            environment["LINESHAFT_GIT_ROOTS"] = ":".join(roots)
        program = Path(sys.executable).with_name("lineshaft")
        process = ServerProcess(
            [program, "up", "--host", HOST, "--port", str(port), "--data", folder / "data"],
            environment=environment,
            folder=folder,
            name=self.name,
        )
        with ExitStack() as stack:
            stack.callback(process.stop)
            seconds = process.wait_until_healthy(port, "/health")
            pipelines = _create(port, jobs)
            if self._profiler is not None:
                stack.enter_context(self._profiler.watching(process.pid))
            yield LineshaftServer(self.name, (process.pid,), seconds, port, pipelines)


@dataclass(frozen=True, slots=True)
class LineshaftServer:
    """A running server; `pipelines` are the pipelines' ids by the jobs' names."""

    name: str
    pids: tuple[int, ...]
    cold_start_seconds: float
    port: int
    pipelines: dict[str, str]

    def client(self) -> "LineshaftClient":
        """Connect."""
        return LineshaftClient(Connection(self.port, _HEADERS), self.pipelines)

    def watcher(self) -> "LineshaftWatcher":
        """Open as many connections as runs can be under way."""
        return LineshaftWatcher(self.port)

    def status(self, run: str) -> Target:
        """Tell where a run's status is."""
        return Target(self.port, f"/v1/runs/{run}", _HEADERS)


class LineshaftClient:
    """One connection to the API."""

    def __init__(self, connection: Connection, pipelines: dict[str, str]) -> None:
        self._connection = connection
        self._pipelines = pipelines

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def trigger(self, job: Job) -> str:
        """Start a run of the job's pipeline."""
        run: str = self._connection.post(f"/v1/pipelines/{self._pipelines[job.name]}/runs")["id"]
        return run

    def check(self, run: str, job: Job) -> None:
        """Look at the run's state and at that of each of its stages."""
        document = self._connection.get(f"/v1/runs/{run}")
        stages = [each for each in document["nodes"] if each["kind"] != "group"]
        right = len(stages) == len(job.commands) and all(
            each["state"] == "succeeded" and each["exit_code"] == 0 for each in stages
        )
        if document["state"] != "succeeded" or not right:
            raise BenchmarkError(f"Lineshaft's run of {job.name} did not succeed: {document}")

    def confirm_log(self, run: str, payload: Payload) -> None:
        """Ask for the last byte."""
        size = self._connection.size(f"/v1/runs/{run}/nodes/stage-1/log")
        if size != payload.size:
            raise BenchmarkError(f"Lineshaft's log of run {run} has {size} of {payload.size} bytes")

    def read_log(self, run: str, payload: Payload) -> Iterator[bytes]:
        """Read the log of the only stage."""
        del payload
        return self._connection.read(f"/v1/runs/{run}/nodes/stage-1/log")


class LineshaftWatcher:
    """Hears of ends by the server-sent events of a run, over a connection each."""

    def __init__(self, port: int) -> None:
        with ExitStack() as stack:
            self._connections = [stack.enter_context(Connection(port, _HEADERS)) for _ in range(SLOTS)]
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def wait(self, runs: Sequence[str]) -> None:
        """Follow the runs that can still be under way until each stream tells its end."""
        for run, connection in zip(runs[-SLOTS:], self._connections, strict=False):
            if not any(kind == "end" for kind, _ in connection.events(f"/v1/runs/{run}/events")):
                raise BenchmarkError(f"Lineshaft's stream of run {run} broke off before its end")


def _create(port: int, jobs: Sequence[Job]) -> dict[str, str]:
    with Connection(port, _HEADERS) as connection:
        return {job.name: connection.post("/v1/pipelines", _pipeline(job))["id"] for job in jobs}


def _pipeline(job: Job) -> dict[str, object]:
    steps = [
        {"name": f"stage-{number}", "run": command, "timeout": _STAGE_SECONDS}
        for number, command in enumerate(job.commands, start=1)
    ]
    document: dict[str, object] = {
        "name": job.name,
        "concurrency": {"policy": "supersede"},
        "parallel": job.parallel,
        "steps": steps,
    }
    if job.repository is not None:
        document["repository"] = str(job.repository)
    return document
