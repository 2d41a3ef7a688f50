"""A server's process: started with a clean environment, awaited, stopped with all its children."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from measure.failure import BenchmarkError

HOST: Final = "127.0.0.1"

_STOP_SECONDS: Final = 15.0
_HEALTH_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 0.001


def free_port() -> int:
    """Choose a loopback port that nobody listens on now."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def clean_environment(home: Path, *bins: Path) -> dict[str, str]:
    """Make the environment that every server gets alike, whatever the caller's own holds.

    Args:
        home: stands for the user's home, so that no configuration of the user is read.
        bins: folders to search for programs before the system's.
    """
    path = ":".join([*(str(each) for each in bins), "/usr/local/bin", "/usr/bin", "/bin"])
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1"}


class ServerProcess:
    """A process in a session of its own, its output in a file."""

    def __init__(
        self, arguments: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path, name: str
    ) -> None:
        self.name = name
        self._output = folder / f"{name}.out"
        self.started_at = time.perf_counter()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [str(each) for each in arguments],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait_until_healthy(self, port: int, path: str, *, limit_seconds: float = 60) -> float:
        """Wait until a GET of `path` answers 200, and return the seconds since the process was started.

        A port that nobody listens on yet gives no signal, so this asks again every millisecond.

        Raises:
            BenchmarkError: the process ended, or time ran out.
        """
        while time.perf_counter() - self.started_at < limit_seconds:
            if self._process.poll() is not None:
                raise BenchmarkError(f"{self.name} ended as it started:\n{self.output()}")
            if _is_healthy(port, path):
                return time.perf_counter() - self.started_at
            time.sleep(_RETRY_SECONDS)
        raise BenchmarkError(f"{self.name} was not ready after {limit_seconds} s:\n{self.output()}")

    def output(self) -> str:
        """The end of what the process has printed."""
        return self._output.read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        """Ask the process to end; what is left of its session when time has run out is killed."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not stop within {_STOP_SECONDS:.0f} s and was killed", file=sys.stderr)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _is_healthy(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=_HEALTH_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        # Buildbot answers from a thread, and breaks when a client leaves before the answer is whole.
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return answer.status == http.HTTPStatus.OK
    finally:
        connection.close()
