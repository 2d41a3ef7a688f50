"""Processes of a build: run to their end, with their output line by line."""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 65536
_LONGEST_LINE_BYTES: Final = 65536
_LAST_CHUNKS: Final = 16


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        exit_code: negative is the number of the signal that ended it; None when it did not start.
        timed_out: whether it was ended because its time was up.
        cause: why it did not start.
    """

    exit_code: int | None
    timed_out: bool = False
    cause: str = ""


class Processes:
    """The processes that run now, each the leader of a group of its own."""

    def __init__(self, grace_seconds: float) -> None:
        """Have none.

        Args:
            grace_seconds: how long a process may go on after it was asked to end.
        """
        self._grace_seconds: Final = grace_seconds
        self._living: dict[subprocess.Popen[bytes], bool] = {}
        self._stopped = False
        self._killing: threading.Timer | None = None

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """Ask all that are not shielded to end, now and from now on. Safe in a signal handler."""
        self._stopped = True
        self._tell_all(signal.SIGTERM)
        self._killing = threading.Timer(self._grace_seconds, self._tell_all, [signal.SIGKILL])
        self._killing.daemon = True
        self._killing.start()

    def close(self) -> None:
        """Kill nothing any more."""
        if self._killing is not None:
            self._killing.cancel()
            self._killing.join()

    def _tell_all(self, number: signal.Signals) -> None:
        for process, shielded in list(self._living.items()):
            if not shielded:
                _tell_group(process, number)

    def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        deadline: float | None,
        shielded: bool,
        on_line: Callable[[str], None],
    ) -> Ended:
        """Run a program to its end. What it leaves in the background lives on, and is not heard any more.

        Args:
            arguments: the program and its arguments.
            cwd: where it runs.
            environment: all of its environment.
            deadline: when it is asked to end, by `time.monotonic`; None means never.
            shielded: whether `stop` leaves it alone.
            on_line: takes each line of its output, without its end.
        """
        try:
            process = subprocess.Popen(
                arguments,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            return Ended(None, cause=f"{arguments[0]} cannot be started ({error.strerror})")
        except ValueError as error:
            return Ended(None, cause=f"{arguments[0]!r} cannot be started ({error})")
        self._living[process] = shielded
        try:
            if self._stopped and not shielded:
                _tell_group(process, signal.SIGTERM)
            timed_out = _follow(process, _Lines(on_line), deadline, self._grace_seconds)
        finally:
            del self._living[process]
            if process.poll() is None:
                _tell_group(process, signal.SIGKILL)
                process.wait()
        return Ended(process.returncode, timed_out)


@dataclass(slots=True)
class _Lines:
    on_line: Callable[[str], None]
    rest: bytearray = field(default_factory=bytearray)

    def take(self, data: bytes) -> None:
        self.rest += data
        while (end := self.rest.find(b"\n")) >= 0 or len(self.rest) > _LONGEST_LINE_BYTES:
            end = _LONGEST_LINE_BYTES if end < 0 else end
            self.on_line(self.rest[:end].decode(errors="replace"))
            del self.rest[: end + (self.rest[end : end + 1] == b"\n")]

    def finish(self) -> None:
        if self.rest:
            self.on_line(self.rest.decode(errors="replace"))


def _follow(
    process: subprocess.Popen[bytes], lines: _Lines, deadline: float | None, grace_seconds: float
) -> bool:
    """Read what a process prints until it has ended; tell whether that was because its time was up."""
    assert process.stdout is not None  # noqa: S101 - it was asked for.
    output = process.stdout.fileno()
    os.set_blocking(output, False)
    end_read, end_write = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(end_write)

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    timed_out = False
    try:
        with process.stdout, selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            selector.register(end_read, selectors.EVENT_READ)
            ended = False
            while not ended:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                ready = {key.fd for key, _ in selector.select(left)}
                ended = end_read in ready
                if output in ready and not _read(output, lines):
                    selector.unregister(output)
                if not ended and deadline is not None and time.monotonic() >= deadline:
                    _tell_group(process, signal.SIGKILL if timed_out else signal.SIGTERM)
                    deadline, timed_out = (None if timed_out else time.monotonic() + grace_seconds), True
            _drain(output, lines)
    finally:
        if process.poll() is None:
            _tell_group(process, signal.SIGKILL)
        waiter.join()
        os.close(end_read)
    lines.finish()
    return timed_out


def _read(output: int, lines: _Lines) -> bool:
    try:
        data = os.read(output, _CHUNK_BYTES)
    except BlockingIOError:
        return False
    lines.take(data)
    return bool(data)


def _drain(output: int, lines: _Lines) -> None:
    # A process left in the background may print without an end.
    for _ in range(_LAST_CHUNKS):
        if not _read(output, lines):
            return


def _tell_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.returncode is None:
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return
