"""A task's log: lines from the loop and from threads, on their way to what masks and sends them."""

import asyncio
import logging
import threading
from collections import deque
from contextlib import suppress
from typing import Final, Self

from lineshaft.ports.executor import ByteSink

_THREADS_WAIT_FROM_BYTES: Final = 1 << 20
_MOST_BYTES: Final = 16 << 20
_PIECE_BYTES: Final = 1 << 20
_FORMAT: Final = "%(levelname)s: %(message)s"


class TaskLog:
    """Takes lines, and hands them on in their order.

    It is used as a context: at its end, all that was written is handed on, and what comes later is dropped.
    """

    def __init__(self, sink: ByteSink) -> None:
        """Hand on to a sink; to be made in the loop."""
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._left_out = 0
        self._closed = False
        self._room = threading.Condition()
        self._news = asyncio.Event()
        self._passing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._passing = asyncio.create_task(self._pass_on())
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        with self._room:
            self._closed = True
            self._room.notify_all()
        self._news.set()
        if self._passing is None:
            return
        if kind is None:
            await self._passing
        else:
            self._passing.cancel()
            await asyncio.gather(self._passing, return_exceptions=True)

    def write(self, text: str) -> None:
        """Take one line or several; see `Task.log`."""
        data = text.encode(errors="replace")
        if not data.endswith(b"\n"):
            data += b"\n"
        with self._room:
            if threading.get_ident() != self._loop_thread:
                while self._pending_bytes >= _THREADS_WAIT_FROM_BYTES and not self._closed:
                    self._room.wait()
            elif self._pending_bytes + len(data) > _MOST_BYTES:
                self._left_out += data.count(b"\n")
                return
            if self._closed:
                return
            self._pending.append(data)
            self._pending_bytes += len(data)
        # A thread may go on when the loop is closed already.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)

    async def _pass_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while data := self._take():
                for start in range(0, len(data), _PIECE_BYTES):
                    await self._sink.write(data[start : start + _PIECE_BYTES])
                with self._room:
                    self._pending_bytes -= len(data)
                    self._room.notify_all()
            if self._closed:
                return

    def _take(self) -> bytes:
        with self._room:
            data = b"".join(self._pending)
            self._pending.clear()
            left_out, self._left_out = self._left_out, 0
            if left_out:
                note = f"[{left_out:,} lines are left out: they came faster than the server took them]\n"
                data += note.encode()
                self._pending_bytes += len(note.encode())
            return data


class LogHandler(logging.Handler):
    """Writes records to a task's log."""

    def __init__(self, log: TaskLog) -> None:
        """Write to `log`."""
        super().__init__()
        self._log = log
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, its traceback included."""
        try:
            self._log.write(self.format(record))
        except Exception:  # noqa: BLE001 - as all handlers do: a line that cannot be formatted ends nobody.
            self.handleError(record)


def logger_of(log: TaskLog, name: str) -> logging.Logger:
    """Make a logger of a task's own, which is gone with the task."""
    logger = logging.Logger(name, logging.INFO)  # noqa: LOG001 - of getLogger's, none would ever be gone.
    logger.addHandler(LogHandler(log))
    return logger
