"""Work that several tasks wait for at a time, and that is done once."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final, Generic, TypeVar

from lineshaft.ports.executor import ByteSink

T = TypeVar("T")

_KEPT_BYTES: Final = 64 * 1024
_AHEAD_BYTES: Final = 1024 * 1024


class Sharing(Generic[T]):
    """Does for all what several ask for at the same time. Use it in one event loop."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._going: Final[dict[Hashable, _Going[T]]] = {}

    async def once(
        self, key: Hashable, work: Callable[[ByteSink], Coroutine[Any, Any, T]], output: ByteSink
    ) -> T:
        """Do something, or wait for what another caller has begun under the same key.

        It goes on for as long as anybody waits for it, and is cancelled when the last of them is.

        Args:
            key: says what it is.
            work: does it, and tells of it by a sink.
            output: takes what is told; of what is under way already, the end of what was told before.

        Returns:
            What `work` has returned.

        Raises:
            Exception: what `work` has raised, or this caller's `output`.
        """
        going = self._going.get(key)
        if going is None:
            going = self._going[key] = _Going(work)
            going.task.add_done_callback(lambda _: self._forget(key, going))
        going.callers += 1
        try:
            await going.told.follow(output)
            return await asyncio.shield(going.task)
        finally:
            going.callers -= 1
            if not going.callers:
                self._forget(key, going)
                going.task.cancel()
                await asyncio.wait({going.task})

    def _forget(self, key: Hashable, going: "_Going[T]") -> None:
        if self._going.get(key) is going:
            del self._going[key]


class _Going(Generic[T]):
    """Something under way."""

    def __init__(self, work: Callable[[ByteSink], Coroutine[Any, Any, T]]) -> None:
        self.told: Final = Told()
        self.callers = 0
        self.task: Final = asyncio.create_task(self._do(work))

    async def _do(self, work: Callable[[ByteSink], Coroutine[Any, Any, T]]) -> T:
        try:
            return await work(self.told)
        finally:
            self.told.close()


class Told:
    """What is told to several, each of whom takes it at their own pace.

    A little is kept for those who come later. Who tells waits for the slowest, so that memory stays flat.
    """

    def __init__(self) -> None:
        """Begin with nothing told and nobody to hear it."""
        self._pieces: Final[deque[bytes]] = deque()
        self._first = 0
        self._kept_bytes = 0
        self._closed = False
        self._next_by_reader: Final[dict[object, int]] = {}
        self._change = asyncio.Event()

    async def write(self, data: bytes) -> None:
        """Tell more; see `ports.executor.ByteSink.write`."""
        self._pieces.append(data)
        self._kept_bytes += len(data)
        self._changed()
        while self._next_by_reader and self._trim() > _AHEAD_BYTES:
            await self._change.wait()
        self._trim()

    def close(self) -> None:
        """Say that this was all."""
        self._closed = True
        self._changed()

    async def follow(self, output: ByteSink) -> None:
        """Hand on all that is kept and all that is told, until there is no more.

        Raises:
            Exception: what the sink has raised.
        """
        reader = object()
        self._next_by_reader[reader] = self._first
        try:
            while True:
                place = self._next_by_reader[reader] - self._first
                if place < len(self._pieces):
                    await output.write(self._pieces[place])
                    self._next_by_reader[reader] += 1
                    self._changed()
                elif self._closed:
                    return
                else:
                    await self._change.wait()
        finally:
            del self._next_by_reader[reader]
            self._changed()

    def _trim(self) -> int:
        """Drop what all have heard, but for a little; answer how much is kept."""
        heard = min(self._next_by_reader.values(), default=self._first + len(self._pieces))
        while self._kept_bytes > _KEPT_BYTES and self._first < heard:
            self._kept_bytes -= len(self._pieces.popleft())
            self._first += 1
        return self._kept_bytes

    def _changed(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
