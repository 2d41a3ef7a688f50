"""Starts Lineshaft as a process of its own in hundredths of a second, by a program that has loaded it.

That program is started once a test process. Tests of the start itself start Lineshaft as everybody does.
"""

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from warm_program import NUMBER

_COVERAGE: Final = "COVERAGE_PROCESS_CONFIG"
_PROGRAM: Final = Path(__file__).with_name("warm_program.py")


class WarmProcess:
    """A process that is not a child of this one, to be treated like a `subprocess.Popen`.

    Attributes:
        pid: its number, which is no other's before its end was heard of.
        returncode: its exit code, or minus the signal that ended it; None as long as nobody knows of its end.
    """

    def __init__(self, keeper: socket.socket) -> None:
        """Take it over from whoever keeps it."""
        self._keeper = keeper
        self.returncode: int | None = None
        self.pid = self._heard()

    def poll(self) -> int | None:
        """Look whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, so many seconds at most.

        Raises:
            subprocess.TimeoutExpired: it goes on.
        """
        if self.returncode is None:
            self._keeper.settimeout(timeout)
            try:
                self.returncode = self._heard()
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired("lineshaft", timeout or 0) from None
            self._keeper.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def _heard(self) -> int:
        told = self._keeper.recv(NUMBER.size, socket.MSG_WAITALL)
        assert told, "Whoever keeps the process is gone."
        (number,) = NUMBER.unpack(told)
        return int(number)


def is_possible() -> bool:
    """Whether to start Lineshaft so: measured coverage is told of by executed programs only."""
    return _COVERAGE not in os.environ


def start_warm(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, streams: Sequence[int]
) -> WarmProcess:
    """Start Lineshaft.

    Args:
        arguments: its command line, without the program's name.
        environment: all its variables.
        folder: where it works.
        streams: descriptors of its input, its output and its messages.
    """
    job = {"arguments": arguments, "environment": dict(environment), "folder": str(folder)}
    body = json.dumps(job).encode()
    ours, its = socket.socketpair()
    with its:
        socket.send_fds(_starter(), [b"."], [*streams, its.fileno()])
    ours.sendall(NUMBER.pack(len(body)) + body)
    return WarmProcess(ours)


def run_warm(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run Lineshaft to its end, without input, and return its exit code and all that it wrote."""
    if not is_possible():
        command = [sys.executable, "-m", "lineshaft", *arguments]
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    with (
        Path(os.devnull).open() as nothing,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as messages,
    ):
        files = [nothing.fileno(), out.fileno(), messages.fileno()]
        code = start_warm(arguments, environment=environment, folder=folder, streams=files).wait()
        out.seek(0)
        messages.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), messages.read())


@functools.cache
def _starter() -> socket.socket:
    """Start the program that starts others; returns what it is asked by."""
    ours, its = socket.socketpair()
    with its:
        process = subprocess.Popen(
            [sys.executable, str(_PROGRAM), str(its.fileno())],
            env={**os.environ, "PYTHONWARNINGS": "error"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
