"""The gits that stay to read objects: a few of them, for the mirrors that are read most."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from lineshaft.integrations.git.layout import write_mirror
from lineshaft.integrations.git.object_reader import ObjectInfo, ObjectReader, ReaderGoneError
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.ref import FULL_COMMIT

T = TypeVar("T")

MOST: Final = 8
"""How many of them there are at once."""

IDLE: Final = timedelta(seconds=60)
"""How long one stays that nobody asks."""

_OLDEST: Final = (2, 36)
_TRIES: Final = 2


class ObjectReaders:
    """Starts them when they are wanted, and ends those that nobody has asked for long.

    Nobody depends on them: each answer may be None, and then a git of its own has to be asked. So it is
    where git is older than 2.36, where all are busy with other mirrors, and where one has ended twice. To be
    used in one loop at a time; another one gets no answers while they stay in the first.
    """

    def __init__(self, git: GitProgram, folder: Path, *, most: int = MOST, idle: timedelta = IDLE) -> None:
        """Have none yet.

        Args:
            git: runs them.
            folder: where something small is written; others may use it.
            most: how many there are at once; those that are ending do not count.
            idle: how long one stays that nobody asks.
        """
        self._git: Final = git
        self._empty: Final = folder / f"empty-{secrets.token_hex(8)}.git"
        self._most: Final = most
        self._idle: Final = idle.total_seconds()
        self._readers: Final[OrderedDict[Path, ObjectReader]] = OrderedDict()
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def info(self, objects: Path, object_id: str) -> ObjectInfo | None:
        """Tell what a mirror has under an id.

        Args:
            objects: the mirror's folder of objects.
            object_id: a full one.

        Returns:
            None where no answer is to be had.
        """
        return await self._answer(objects, object_id, lambda reader: reader.info(object_id))

    async def content(self, objects: Path, object_id: str, kind: str, most_bytes: int) -> bytes | None:
        """Read an object of a mirror.

        Args:
            objects: as for `info`.
            object_id: as for `info`.
            kind: which it must be of.
            most_bytes: how long it may be.

        Returns:
            None where it is something else or longer, and where no answer is to be had.
        """

        async def read(reader: ObjectReader) -> bytes | None:
            info = await reader.info(object_id)
            if info.kind != kind or info.size_bytes > most_bytes:
                return None
            return await reader.content(object_id, info)

        return await self._answer(objects, object_id, read)

    def forget(self, objects: Path) -> None:
        """End what reads a mirror, of which files have been replaced."""
        reader = self._readers.pop(objects, None)
        if reader is not None:
            reader.leave()

    async def close(self) -> None:
        """End all of them; nobody gets an answer after that."""
        self._closed = True
        self._readers.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(
        self, objects: Path, object_id: str, ask: Callable[[ObjectReader], Coroutine[Any, Any, T]]
    ) -> T | None:
        # What is put to them ends with the line.
        if not FULL_COMMIT.fullmatch(object_id) or await self._git.version() < _OLDEST:
            return None
        for _ in range(_TRIES):
            reader = self._of(objects)
            if reader is None:
                return None
            try:
                return await ask(reader)
            except ReaderGoneError:
                continue
        return None

    def _of(self, objects: Path) -> ObjectReader | None:
        """Find what reads a mirror, or start it where there is room for it."""
        if self._closed or not self._is_here():
            return None
        for path in [path for path, reader in self._readers.items() if reader.gone]:
            del self._readers[path]
        reader = self._readers.get(objects)
        if reader is None and self._make_room():
            reader = self._started(objects)
        if reader is not None:
            self._readers[objects] = reader
            self._readers.move_to_end(objects)
        return reader

    def _is_here(self) -> bool:
        loop = asyncio.get_running_loop()
        if self._loop is not loop and all(reader.gone for reader in self._readers.values()):
            self._loop = loop
        return self._loop is loop

    def _make_room(self) -> bool:
        if len(self._readers) < self._most:
            return True
        idle = next((path for path, reader in self._readers.items() if not reader.busy), None)
        if idle is None:
            return False
        self.forget(idle)
        return True

    def _started(self, objects: Path) -> ObjectReader | None:
        try:
            if not self._empty.exists():
                write_mirror(self._empty)
            reader = ObjectReader(self._git, self._empty, objects)
        except OSError:
            return None
        self._tasks.add(reader.task)
        reader.task.add_done_callback(self._tasks.discard)
        self._watch(objects, reader, self._idle)
        return reader

    def _watch(self, objects: Path, reader: ObjectReader, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, partial(self._look_at, objects, reader))
        reader.task.add_done_callback(lambda _: timer.cancel())

    def _look_at(self, objects: Path, reader: ObjectReader) -> None:
        left = reader.used_at + self._idle - asyncio.get_running_loop().time()
        if reader.busy or left > 0:
            self._watch(objects, reader, max(left, self._idle / 10))
        elif self._readers.get(objects) is reader:
            self.forget(objects)
