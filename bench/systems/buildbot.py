"""Buildbot: a master on SQLite and a worker beside it, as many builds at once as the others run stages."""

import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from measure.connection import Connection
from measure.failure import BenchmarkError
from measure.load import Target
from measure.packages import Packages
from measure.server_process import ServerProcess, clean_environment, free_port
from systems.system import SLOTS, Job, Payload

_VERSION: Final = "4.3.0"
_PACKAGES: Final = ("buildbot", "buildbot-worker", "buildbot-www")
_CONFIGURATION: Final = Path(__file__).with_name("buildbot_master.cfg")
_ALL_ENDS: Final = "/sse/listen/buildsets/*/complete"


class Buildbot:
    """Installs Buildbot from PyPI into a virtual environment of its own, and starts it."""

    name = "Buildbot"

    def __init__(self, cache: Path) -> None:
        self._packages = Packages(cache, *(f"{each}=={_VERSION}" for each in _PACKAGES))
        self._bin = self._packages.bin

    def versions(self) -> dict[str, str]:
        """Name what was installed."""
        self._packages.install()
        return self._packages.versions()

    def prepare(self, folder: Path, jobs: Sequence[Job]) -> None:
        """Make a master with its database, and a worker."""
        self._packages.install()
        password, worker_port = secrets.token_hex(8), free_port()
        plan = {
            "jobs": [_say(job) for job in jobs],
            "password": password,
            "port": free_port(),
            "slots": SLOTS,
            "worker_port": worker_port,
        }
        self._call(folder, "buildbot", "create-master", "-q", "master")
        worker = ("worker", f"127.0.0.1:{worker_port}", "worker", password)
        self._call(folder, "buildbot-worker", "create-worker", "-q", *worker)
        (folder / "master/plan.json").write_text(json.dumps(plan))
        shutil.copyfile(_CONFIGURATION, folder / "master/master.cfg")

    @contextmanager
    def launch(self, folder: Path, jobs: Sequence[Job]) -> Iterator["BuildbotServer"]:
        """Start the master and its worker."""
        del jobs
        port: int = json.loads((folder / "master/plan.json").read_text())["port"]
        with ExitStack() as stack:
            master = self._start(folder, "buildbot", "master")
            stack.callback(master.stop)
            worker = self._start(folder, "buildbot-worker", "worker")
            stack.callback(worker.stop)
            seconds = master.wait_until_healthy(port, "/api/v2/builders")
            _wait_for_workers(port)
            yield BuildbotServer(self.name, (master.pid, worker.pid), seconds, port)

    def _call(self, folder: Path, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            cwd=folder,
            env=clean_environment(folder, self._bin),
            check=True,
            capture_output=True,
        )

    def _start(self, folder: Path, program: str, base: str) -> ServerProcess:
        return ServerProcess(
            [self._bin / program, "start", "--nodaemon", base],
            environment=clean_environment(folder, self._bin),
            folder=folder,
            name=program,
        )


@dataclass(frozen=True, slots=True)
class BuildbotServer:
    """A running master with its worker connected."""

    name: str
    pids: tuple[int, ...]
    cold_start_seconds: float
    port: int

    def client(self) -> "BuildbotClient":
        """Connect."""
        return BuildbotClient(Connection(self.port))

    def watcher(self) -> "BuildbotWatcher":
        """Listen to the ends of all build sets."""
        return BuildbotWatcher(Connection(self.port))

    def status(self, run: str) -> Target:
        """Tell where the status of a run's build is."""
        with self.client() as client:
            # It answers from threads that its web server is not made for, and loses connections now and then.
            return Target(self.port, f"/api/v2/builds/{client.build_of(run)}", {}, breaks_off=True)


class BuildbotClient:
    """One connection to the REST API; a run is a build set."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def trigger(self, job: Job) -> str:
        """Force a build."""
        scheduler, parameters = (
            ("single", {"command": job.commands[0]}) if _is_single(job) else (job.name, {})
        )
        request = {"id": 1, "jsonrpc": "2.0", "method": "force", "params": parameters}
        answer = self._connection.post(f"/api/v2/forceschedulers/{scheduler}", request)
        return str(answer["result"][0])

    def check(self, run: str, job: Job) -> None:
        """Look at the results of the build, and of each of its steps or of the builds that it triggered."""
        if self._one(f"buildsets/{run}", "buildsets")["results"] != 0:
            raise BenchmarkError(f"Buildbot's build set {run} of {job.name} did not succeed")
        if _is_single(job):
            return
        build = self.build_of(run)
        if job.parallel:
            parts = self._get(f"buildsets?parent_buildid={build}", "buildsets")
        else:
            parts = _shells(self._get(f"builds/{build}/steps", "steps"))
        results = [each["results"] for each in parts]
        if results != [0] * len(job.commands):
            raise BenchmarkError(f"Buildbot's build {build} of {job.name} has the results {results}")

    def confirm_log(self, run: str, payload: Payload) -> None:
        """Read the log's last line."""
        log = self._log(run)
        last = self._get(f"logs/{log['logid']}/contents?offset={log['num_lines'] - 1}&limit=1", "logchunks")
        if not log["complete"] or log["num_lines"] < payload.lines or not last[0]["content"]:
            raise BenchmarkError(f"Buildbot's log of build set {run} is not whole: {log}")

    def read_log(self, run: str, payload: Payload) -> Iterator[bytes]:
        """Read the raw log from the payload's first line on, without what Buildbot puts around it."""
        pieces = self._connection.read(f"/api/v2/logs/{self._log(run)['logid']}/raw")
        left, head = payload.size, b""
        for piece in pieces:
            head += piece
            if payload.first_line in head:
                break
        piece = head[head.index(payload.first_line) :]
        yield piece[:left]
        left -= len(piece)
        for piece in pieces:
            yield piece[: max(left, 0)]
            left -= len(piece)

    def build_of(self, run: str) -> int:
        """Find the one build of a build set."""
        request = self._one(f"buildrequests?buildsetid={run}", "buildrequests")["buildrequestid"]
        number: int = self._one(f"builds?buildrequestid={request}", "builds")["buildid"]
        return number

    def _log(self, run: str) -> dict[str, Any]:
        step = _shells(self._get(f"builds/{self.build_of(run)}/steps", "steps"))[0]
        return self._one(f"steps/{step['stepid']}/logs/stdio", "logs")

    def _get(self, path: str, plural: str) -> list[dict[str, Any]]:
        found = self._connection.get(f"/api/v2/{path}")[plural]
        return found if isinstance(found, list) else [found]

    def _one(self, path: str, plural: str) -> dict[str, Any]:
        found = self._get(path, plural)
        if len(found) != 1:
            raise BenchmarkError(f"Buildbot's /api/v2/{path} has {len(found)} entries instead of one")
        return found[0]


class BuildbotWatcher:
    """Hears of ends by the server-sent events of buildbot-www.

    One stream for all runs, fed by the message queue in the master's own process, is what costs least of all
    that a client can do: no HTTP request of a reporter's, no web socket to be framed, nothing asked twice.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._events = connection.events(_ALL_ENDS)
        self._ended: set[str] = set()
        next(self._events)  # The handshake; from here on nothing is missed.

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def wait(self, runs: Sequence[str]) -> None:
        """Wait for the ends of the runs' build sets."""
        left = set(runs) - self._ended
        while left:
            _, data = next(self._events)
            ended = str(json.loads(data)["message"]["bsid"])
            self._ended.add(ended)
            left.discard(ended)


def _say(job: Job) -> dict[str, object]:
    return asdict(job) | {"repository": None if job.repository is None else str(job.repository)}


def _is_single(job: Job) -> bool:
    return len(job.commands) == 1 and job.repository is None


def _shells(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in steps if each["name"].startswith("shell")]


def _wait_for_workers(port: int) -> None:
    """Wait until the workers are connected; this is before anything is measured."""
    until = time.monotonic() + 60
    with Connection(port) as connection:
        while time.monotonic() < until:
            workers = connection.get("/api/v2/workers")["workers"]
            if all(each["connected_to"] for each in workers):
                return
            time.sleep(0.1)
    raise BenchmarkError("Buildbot's worker did not connect within a minute")
