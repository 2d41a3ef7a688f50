"""A git that stays, and reads the objects of one mirror one after the other (git-cat-file(1))."""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from lineshaft.integrations.git.program import GitProgram
from lineshaft.model.errors import SourceError

T = TypeVar("T")

MISSING: Final = "missing"
"""The kind of what a mirror has not."""

_KINDS: Final = frozenset({"commit", "tree", "blob", "tag"})
_LONGEST_LINE: Final = 1024
_LIMIT: Final = timedelta(seconds=20)
_LOG: Final = logging.getLogger("lineshaft.git")

# It looks for what it has just read more often than for deltas, and there may be several of it.
_SETTINGS: Final = ("-c", "core.deltaBaseCacheLimit=8m")


class ReaderGoneError(Exception):
    """The program has ended, or says what it was not asked; another one may answer."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a mirror has under an id.

    Attributes:
        kind: `commit`, `tree`, `blob` or `tag`; or `missing`.
        size_bytes: how long its content is.
    """

    kind: str
    size_bytes: int = 0


class ObjectReader:
    """One `git cat-file --batch-command`. It answers one question at a time; others wait for their turn.

    Whoever is cancelled while it answers leaves an answer that nobody takes. So the program is ended then, as
    it is when it says anything else than what it was asked.

    It runs in an empty repository that borrows the mirror's objects (GIT_OBJECT_DIRECTORY). So no setting,
    ref or replacement of the mirror has a say, and what a partial mirror has not is missing: nothing is
    fetched.

    Attributes:
        used_at: when it was asked last, by the clock of the loop.
    """

    def __init__(self, git: GitProgram, empty: Path, objects: Path) -> None:
        """Start it, in the running loop.

        Args:
            git: runs it.
            empty: a bare repository without refs, which it leaves as it is.
            objects: the mirror's folder of objects.

        Raises:
            OSError: this machine has no room for its questions.
        """
        loop = asyncio.get_running_loop()
        questions = empty / f"questions-{secrets.token_hex(8)}"
        os.mkfifo(questions, 0o600)
        try:
            # Whoever opens both ends of it waits for nobody; it has ended for git when this process has.
            self._questions: Final = os.open(questions, os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            questions.unlink()
            raise
        self._answers: Final = asyncio.StreamReader(_LONGEST_LINE)
        self._turn: Final = asyncio.Lock()
        self._loop: Final = loop
        self._broken = False
        self.used_at = loop.time()
        self.task: Final = loop.create_task(self._stay(git, empty, objects, questions))
        # One that is cancelled before it begins comes to no `finally`.
        self.task.add_done_callback(lambda _: self._put_away(questions))

    @property
    def gone(self) -> bool:
        """Whether it answers no more."""
        return self._broken or self.task.done()

    @property
    def busy(self) -> bool:
        """Whether somebody waits for its answer."""
        return self._turn.locked()

    def leave(self) -> None:
        """End it; `task` is done when nothing of it is left."""
        self._broken = True
        self.task.cancel()

    async def info(self, object_id: str) -> ObjectInfo:
        """Tell what the mirror has under an id.

        Args:
            object_id: a full one.

        Raises:
            ReaderGoneError: it does not answer.
        """
        return await self._in_turn(lambda: self._told(f"info {object_id}", object_id))

    async def content(self, object_id: str, expected: ObjectInfo) -> bytes:
        """Return an object's content, all of which is held in memory.

        Args:
            object_id: a full one.
            expected: what `info` says of it.

        Raises:
            ReaderGoneError: it does not answer.
        """
        return await self._in_turn(lambda: self._content(object_id, expected))

    async def _in_turn(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with self._turn:
            if self.gone:
                raise ReaderGoneError
            self.used_at = self._loop.time()
            try:
                async with asyncio.timeout(_LIMIT.total_seconds()):
                    return await ask()
            except (TimeoutError, EOFError, asyncio.LimitOverrunError, OSError) as error:
                self.leave()
                raise ReaderGoneError from error
            except BaseException:
                self.leave()
                raise

    async def _content(self, object_id: str, expected: ObjectInfo) -> bytes:
        if await self._told(f"contents {object_id}", object_id) != expected:
            raise ReaderGoneError
        data = await self._answers.readexactly(expected.size_bytes + 1)
        return data[:-1]

    async def _told(self, question: str, object_id: str) -> ObjectInfo:
        # It has read the question before, so the pipe takes all of this at once.
        os.write(self._questions, question.encode("ascii") + b"\n")
        line = (await self._answers.readuntil()).decode("ascii", "replace")
        match line.removesuffix("\n").split(" "):
            case [told, word] if told == object_id and word == MISSING:
                return ObjectInfo(MISSING)
            case [told, kind, size] if told == object_id and kind in _KINDS and size.isdigit():
                return ObjectInfo(kind, int(size))
            case _:
                raise ReaderGoneError

    async def _stay(self, git: GitProgram, empty: Path, objects: Path, questions: Path) -> None:
        try:
            await git.attend(
                *(*_SETTINGS, "cat-file", "--batch-command"),
                folder=empty,
                environment={
                    "GIT_DIR": str(empty),
                    "GIT_OBJECT_DIRECTORY": str(objects),
                    "GIT_NO_REPLACE_OBJECTS": "1",
                },
                questions=questions,
                answers=_Fed(self._answers),
            )
        except SourceError as error:
            _LOG.warning("No git stays to read objects: %s", error.message)

    def _put_away(self, questions: Path) -> None:
        self._broken = True
        self._answers.feed_eof()
        os.close(self._questions)
        questions.unlink(missing_ok=True)


class _Fed:
    """Takes what git prints."""

    def __init__(self, answers: asyncio.StreamReader) -> None:
        self._answers = answers

    async def write(self, data: bytes) -> None:
        self._answers.feed_data(data)
