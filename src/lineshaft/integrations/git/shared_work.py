"""Work that several callers wait for, and that ends early when none of them waits any more."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class SharedWork(Generic[T]):
    """Does the work for a key once for all who want it at the same time."""

    def __init__(self) -> None:
        """Have nothing to do yet."""
        self._tasks: Final[dict[Hashable, asyncio.Future[T]]] = {}
        self._waiting: Final[dict[asyncio.Future[T], int]] = {}

    async def result(self, key: Hashable, begin: Callable[[], Awaitable[T]]) -> T:
        """Wait for the work's result; begin it when nobody has.

        Cancelling one caller leaves the work to the others; cancelling the last one cancels it, and
        waits for its end.

        Raises:
            Exception: what the work has raised, to everybody who waits for it.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(begin())
            self._waiting[task] = 0
        self._waiting[task] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiting[task] -= 1
            if not self._waiting[task]:
                await self._end(key, task)
            elif task.done():
                self._forget(key, task)

    async def _end(self, key: Hashable, task: asyncio.Future[T]) -> None:
        # Whoever comes from now on begins anew, also while the cancelled work is still ending.
        del self._waiting[task]
        self._forget(key, task)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})

    def _forget(self, key: Hashable, task: asyncio.Future[T]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
