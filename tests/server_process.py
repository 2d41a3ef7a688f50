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
from typing import IO

TESTS = Path(__file__).parent
READY = "Lineshaft listens at "
"""Stands in a server's log before its address."""

_KEPT = ("PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV")


class ServerProcess:
    """A server or a worker of ours in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], output: IO[str]) -> None:
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
def server_process(
    data: Path, command: str = "up", *, program: Path = TESTS / "up_program.py", **variables: str
) -> Iterator[ServerProcess]:
    """Start a server or a worker whose settings are these variables; it is killed at the end if it runs."""
    kept: Mapping[str, str] = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment = {
        **kept,
        "LINESHAFT_DATA": str(data),
        "LINESHAFT_PORT": "0",
        "PYTHONWARNINGS": "error",
    } | variables
    process = subprocess.Popen(
        [sys.executable, str(program), command],
        env=environment,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr:
        server = ServerProcess(process, process.stderr)
        try:
            yield server
        finally:
            if process.poll() is None:
                process.kill()
            server.ended()
