"""One thread that does things in order, for an event loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

_Answer = tuple[Any, BaseException | None]
_Call = tuple[Callable[[], Any], "asyncio.Future[_Answer]"]


class SerialThread:
    """Runs functions in one thread of its own, one after the other.

    Leaner than an executor: a call costs one entry in a queue on its way in and one callback of the loop on
    its way out.
    """

    def __init__(self, name: str) -> None:
        """Start the thread; to be called within the event loop that will use it."""
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in the thread; its result or error is this call's."""
        future: asyncio.Future[_Answer] = self._loop.create_future()
        self._calls.put((function, future))
        value, error = await future
        if error is not None:
            raise error
        result: T = value
        return result

    async def close(self) -> None:
        """Let the thread end behind what it was given."""
        self._calls.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            function, future = call
            answer: _Answer
            try:
                answer = (function(), None)
            except BaseException as error:  # noqa: BLE001 # It is raised where the call is awaited.
                answer = (None, error)
            with suppress(RuntimeError):  # The loop is closed, and with it has gone whoever waited.
                self._loop.call_soon_threadsafe(_set, future, answer)


def _set(future: "asyncio.Future[_Answer]", answer: _Answer) -> None:
    if not future.done():
        future.set_result(answer)
