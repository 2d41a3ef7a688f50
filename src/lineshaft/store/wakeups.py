"""Wake-ups within one process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from lineshaft.ports.wakeups import Listener


class LocalListener:
    """Hears a set of topics. Belongs to one event loop."""

    __slots__ = ("_waiter", "_woken")

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._woken = False
        self._waiter: asyncio.Future[None] | None = None

    async def wait(self, at_most: timedelta) -> bool:
        """Wait until a topic is woken, at once if that happened since the last wait."""
        if not self._woken:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(at_most.total_seconds(), self._release)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        woken, self._woken = self._woken, False
        return woken

    def wake(self) -> None:
        """Let the wait that is under way, or else the next one, return True."""
        self._woken = True
        self._release()

    def _release(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class LocalWakeUps:
    """Carries wake-ups between the tasks of one event loop."""

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self._listeners: dict[str, set[LocalListener]] = {}

    @contextmanager
    def listen(self, *topics: str) -> Iterator[Listener]:
        """Hear topics while the context is open."""
        listener = LocalListener()
        for topic in topics:
            self._listeners.setdefault(topic, set()).add(listener)
        try:
            yield listener
        finally:
            for topic in set(topics):
                listeners = self._listeners[topic]
                listeners.discard(listener)
                if not listeners:
                    del self._listeners[topic]

    def wake(self, topics: frozenset[str]) -> None:
        """Wake all who hear any of the topics."""
        for topic in topics:
            for listener in self._listeners.get(topic, ()):
                listener.wake()

    def wake_all(self) -> None:
        """Wake everybody, since it is not known what was missed."""
        self.wake(frozenset(self._listeners))
