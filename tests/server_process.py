"""Programs that serve, which tests start and stop."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Final

from warm_start import WarmProcess, is_possible, start_warm

TESTS: Final = Path(__file__).parent
UP_PROGRAM: Final = TESTS / "up_program.py"
READY = "Lineshaft listens at "
"""Stands in a server's log before its address."""

_OUTPUT: Final = 1
_KEPT: Final = ("PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV")


class ServerProcess:
    """A server or a worker of ours in a process of its own."""

    def __init__(self, process: subprocess.Popen[str] | WarmProcess, output: IO[str]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._coming: SimpleQueue[str] = SimpleQueue()
        # Read all along, lest the server wait for room in the pipe.
        self._reader = Thread(target=self._read, args=(output,))
        self._reader.start()

    def address(self) -> str:
        """Read its log up to the line that tells where it listens."""
        return self.line_with(READY).rpartition(READY)[2].strip()

    def line_with(self, words: str) -> str:
        """Read its log up to the next line with these words, and return that."""
        while line := self._coming.get():
            if words in line:
                return line
        raise AssertionError(f"The program ended: {''.join(self._lines)}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send it a signal, and return its exit code and all that it logged."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for its end, and return its exit code and all that it logged."""
        code = self.process.wait()
        self._reader.join()
        return code, "".join(self._lines)

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self._lines.append(line)
            self._coming.put(line)
        self._coming.put("")


@contextmanager
def server_process(data: Path, command: str = "up", **variables: str) -> Iterator[ServerProcess]:
    """Start a server or a worker whose settings are these variables; it is killed at the end if it runs.

    It is begun with what it loads, unless it is several processes: those are executed anew.
    """
    if variables.get("LINESHAFT_WORKERS", "1") != "1" or not is_possible():
        with executed_server(data, command, program=UP_PROGRAM, **variables) as server:
            yield server
        return
    with Path(os.devnull).open() as nothing, _log() as (read, written):
        streams = (nothing.fileno(), _OUTPUT, written.fileno())
        environment = _environment(data, variables)
        process = start_warm([command], environment=environment, folder=Path.cwd(), streams=streams)
        written.close()
        with _ending(process, read) as server:
            yield server


@contextmanager
def executed_server(
    data: Path, command: str = "up", *, program: Path = UP_PROGRAM, **variables: str
) -> Iterator[ServerProcess]:
    """Do as `server_process`, but by executing a program; for tests of the start, and of what it is given."""
    with _log() as (read, written):
        process = subprocess.Popen(
            [sys.executable, str(program), command],
            env=_environment(data, variables),
            stderr=written,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        written.close()
        with _ending(process, read) as server:
            yield server


def _environment(data: Path, variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    ours = {"LINESHAFT_DATA": str(data), "LINESHAFT_PORT": "0", "PYTHONWARNINGS": "error"}
    return {**kept, **ours, **variables}


@contextmanager
def _log() -> Iterator[tuple[IO[str], IO[str]]]:
    read, written = os.pipe()
    with os.fdopen(read) as output, os.fdopen(written, "w") as log:
        yield output, log


@contextmanager
def _ending(process: subprocess.Popen[str] | WarmProcess, output: IO[str]) -> Iterator[ServerProcess]:
    server = ServerProcess(process, output)
    try:
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        server.ended()
