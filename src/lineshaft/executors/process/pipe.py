"""The pipe through which a command's output comes."""

import asyncio
import contextlib
import fcntl
import os
import sys
import termios
from collections.abc import Iterator
from typing import Final

from lineshaft.ports.executor import ByteSink

_CAPACITY_BYTES: Final = 1024 * 1024
_FIRST_READ_BYTES: Final = 64 * 1024


class OutputPipe:
    """Standard output and standard error in one, read without blocking the event loop."""

    def __init__(self) -> None:
        """Open the pipe.

        Raises:
            OSError: no file descriptor is to be had.
        """
        self._loop: Final = asyncio.get_running_loop()
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        _enlarge(self._read_end)
        self._readable: asyncio.Future[None] | None = None
        self._left: int | None = None

    @property
    def inode(self) -> int:
        """What names the pipe on this machine."""
        return os.fstat(self._read_end).st_ino

    @contextlib.contextmanager
    def write_end(self) -> Iterator[int]:
        """Lend the file descriptor to start the command with, once; then the command has the only one."""
        try:
            yield self._write_end
        finally:
            os.close(self._write_end)

    async def pump(self, sink: ByteSink) -> None:
        """Pass on what is written until nobody can write any more, or what `finish` found is passed on.

        Raises:
            Exception: what the sink has raised.
        """
        size = _FIRST_READ_BYTES
        while self._left != 0:
            try:
                data = os.read(self._read_end, size if self._left is None else min(size, self._left))
            except BlockingIOError:
                await self._until_readable()
                continue
            if not data:
                return
            if self._left is not None:
                self._left -= len(data)
            if len(data) == size:
                size = min(2 * size, _CAPACITY_BYTES)
            await sink.write(data)
            # A sink that never waits and a command that never pauses must not keep the loop from others.
            await asyncio.sleep(0)

    def finish(self) -> None:
        """Have `pump` end when it has passed on what is in the pipe now, whoever may still write."""
        waiting = bytearray(4)
        fcntl.ioctl(self._read_end, termios.FIONREAD, waiting)
        self._left = int.from_bytes(waiting, sys.byteorder)
        self._wake()

    def close(self) -> None:
        """Close the reading end; `pump` must have ended."""
        self._loop.remove_reader(self._read_end)
        os.close(self._read_end)

    async def _until_readable(self) -> None:
        self._readable = self._loop.create_future()
        self._loop.add_reader(self._read_end, self._wake)
        try:
            await self._readable
        finally:
            self._loop.remove_reader(self._read_end)
            self._readable = None

    def _wake(self) -> None:
        if self._readable is not None and not self._readable.done():
            self._readable.set_result(None)


def _enlarge(pipe: int) -> None:
    if sys.platform != "linux":
        return
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CAPACITY_BYTES)
    except OSError:  # The user's share of pipe memory is used up; the pipe keeps the size that it has.
        return
