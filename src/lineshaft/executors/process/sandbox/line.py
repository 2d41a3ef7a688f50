"""The worker's end of the line to the first process of a sandbox."""

import asyncio
import marshal
import os
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from lineshaft.executors.process.launcher import candidates
from lineshaft.executors.process.sandbox.inner import LENGTH_BYTES
from lineshaft.ports.executor import Command

_CREDENTIALS: Final = struct.Struct("=3i")
_READ_BYTES: Final = 65536
_STOP: Final = b"\n"


@dataclass(frozen=True, slots=True)
class Ended:
    """The command's main process has ended.

    Attributes:
        status: its exit code, or minus the number of the signal that ended it.
    """

    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The command could not be started.

    Attributes:
        number: of the error; 0 where it has none.
        in_folder: whether its folder could not be entered.
        text: what the system or Python says of it.
    """

    number: int
    in_folder: bool
    text: str


@dataclass(frozen=True, slots=True)
class Vanished:
    """The sandbox has gone without a word of how the command ended.

    Attributes:
        made: whether it had been made.
    """

    made: bool


Fate = Ended | Refused | Vanished


def encoded(command: Command, environment: Mapping[str, str]) -> bytes:
    """Put a command into the form in which it is handed over.

    Raises:
        ValueError: it cannot be passed to a program.
    """
    content = marshal.dumps(
        (
            candidates(os.fsencode(command.argv[0]), environment),
            [os.fsencode(argument) for argument in command.argv],
            os.fsencode(command.cwd),
            {os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
        )
    )
    return len(content).to_bytes(LENGTH_BYTES, sys.byteorder) + content


class Line:
    """Hands a command over, and hears what becomes of it.

    Attributes:
        made: done when the first process has spoken, so that there is a sandbox, or when there will be none;
            its result tells which. Not to be cancelled.
        fate: done when the command has ended or will never begin; not to be cancelled.
        empty: done when nothing of the command's process group is left after it was asked to end.
        its_end: the end that the first process of the sandbox gets as its standard input.
    """

    def __init__(self) -> None:
        """Open the line.

        Raises:
            OSError: no file descriptor is to be had.
        """
        self._loop: Final = asyncio.get_running_loop()
        self._mine, self.its_end = socket.socketpair()
        self._mine.setblocking(False)  # noqa: FBT003 - it takes no keyword
        # With each message comes the number of its sender, as this process sees it (unix(7)).
        self._mine.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.made: asyncio.Future[bool] = self._loop.create_future()
        self.fate: asyncio.Future[Fate] = self._loop.create_future()
        self.empty: asyncio.Future[None] = self._loop.create_future()
        self._heard = b""
        self._first_process: int | None = None
        self._loop.add_reader(self._mine.fileno(), self._hear)

    async def hand_over(self, content: bytes) -> None:
        """Have the command started; where there is nobody to start it, `fate` tells.

        Args:
            content: from `encoded`.
        """
        with suppress(OSError):
            await self._loop.sock_sendall(self._mine, content)

    def ask_to_end(self) -> None:
        """Have the command's process group told to end; to be called when the command was handed over."""
        with suppress(OSError):
            self._mine.send(_STOP)

    def kill(self) -> bool:
        """Kill the first process, and so all that is in the sandbox; whether it is known already."""
        if self._first_process is None:
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._first_process, signal.SIGKILL)
        return True

    async def wait_for_death(self, timeout_seconds: float) -> bool:
        """Wait until all that was in the sandbox has ended; the first process is known, and was killed.

        Returns:
            Whether it has ended in time.
        """
        if self._first_process is None:
            return True
        dead = self._loop.create_future()
        self._loop.add_reader(self._first_process, _resolve, dead)
        try:
            await asyncio.wait({dead}, timeout=timeout_seconds)
        finally:
            self._loop.remove_reader(self._first_process)
        return dead.done()

    def settle(self, *, made: bool) -> None:
        """Let it be known whether there is a sandbox, unless it is known already."""
        if not self.made.done():
            self.made.set_result(made)

    def close(self) -> None:
        """Close both ends; a first process that is there nevertheless ends then."""
        self._loop.remove_reader(self._mine.fileno())
        self._mine.close()
        self.its_end.close()
        if self._first_process is not None:
            os.close(self._first_process)
            self._first_process = None

    def _hear(self) -> None:
        try:
            data, ancillary, _, _ = self._mine.recvmsg(_READ_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
        except BlockingIOError:
            return
        except OSError:
            data, ancillary = b"", []
        if not data:
            self._lose()
            return
        self.settle(made=True)
        if self._first_process is None:
            self._recognise(ancillary)
        *lines, self._heard = (self._heard + data).split(b"\n")
        try:
            for line in lines:
                self._understand(line.decode(errors="replace"))
        except ValueError:
            # A command may take the first process over; it harms but itself.
            self._lose()
        if len(self._heard) > _READ_BYTES:
            self._lose()

    def _lose(self) -> None:
        self._loop.remove_reader(self._mine.fileno())
        _resolve(self.empty)
        self.settle(made=False)
        if not self.fate.done():
            self.fate.set_result(Vanished(self.made.result()))

    def _recognise(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                with suppress(OSError):
                    self._first_process = os.pidfd_open(_CREDENTIALS.unpack(content)[0])

    def _understand(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "empty":
            _resolve(self.empty)
        elif self.fate.done():
            return
        elif word == "ended":
            self.fate.set_result(Ended(int(rest)))
        elif word == "refused":
            number, place, text = rest.split(" ", 2)
            self.fate.set_result(Refused(int(number), place == "folder", text))


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
