"""The file by which a task tells its worker of secrets that it has made itself."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lineshaft.model.maskable import why_unmaskable
from lineshaft.sdk.task_file import UnusableFileError, read_beginning

FILE_LIMIT_BYTES: Final = 64 * 1024
"""How much of the file is read."""

LINES_AT_MOST: Final = 256
"""How many secrets one task may make."""

_TOO_MANY: Final = f"Of the file that LINESHAFT_MASK names only {LINES_AT_MOST} lines are masked."

_SETTLED_NANOSECONDS: Final = 2_000_000_000
"""So long after a change, another one shows in the file's times on every file system."""


class MaskFile:
    """Reads the file as often as it has changed; what it once held stays a secret."""

    def __init__(self, path: Path, clock: Callable[[], int] = time.time_ns) -> None:
        """Read `path`, which a task may have exchanged for anything.

        Args:
            path: the file.
            clock: the time as nanoseconds of the epoch, as the file system has it.
        """
        self._path: Final = path
        self._clock: Final = clock
        self._seen: object = None
        self._settled = False
        self._content = b""
        self._known: Final[set[str]] = set()
        self._told: Final[set[str]] = set()

    def news(self) -> tuple[list[str], list[str]]:
        """Read what is new.

        Returns:
            Secrets that were not there before, and sentences for the task's log, each of them only once.
        """
        try:
            status = os.lstat(self._path)
        except OSError:
            return [], []
        state = (
            status.st_dev,
            status.st_ino,
            status.st_mode,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )
        if state == self._seen and (self._settled or not status.st_size):
            return [], []
        self._seen = state
        self._settled = self._clock() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NANOSECONDS
        try:
            content = read_beginning(self._path, FILE_LIMIT_BYTES + 1)
        except UnusableFileError as error:
            return [], [] if error.missing else list(
                self._once(f"The file that LINESHAFT_MASK names {error}.")
            )
        if content == self._content:
            return [], []
        self._content = content
        return self._take(content)

    def _take(self, content: bytes) -> tuple[list[str], list[str]]:
        news: list[str] = []
        sentences: list[str] = []
        if len(content) > FILE_LIMIT_BYTES:
            sentences += self._once(
                f"Of the file that LINESHAFT_MASK names the first {FILE_LIMIT_BYTES // 1024} KiB are read."
            )
        lines = [line for each in content[:FILE_LIMIT_BYTES].split(b"\n") if (line := each.strip())]
        if len(lines) > LINES_AT_MOST:
            sentences += self._once(_TOO_MANY)
        for line in lines[:LINES_AT_MOST]:
            value = line.decode(errors="surrogateescape")
            if value in self._known:
                continue
            why = why_unmaskable(value)
            if why is not None:
                sentences += self._once(
                    f"A line of the file that LINESHAFT_MASK names is not masked. {why.text}"
                )
            elif len(self._known) == LINES_AT_MOST:
                sentences += self._once(_TOO_MANY)
            else:
                self._known.add(value)
                news.append(value)
        return news, sentences

    def _once(self, sentence: str) -> Iterator[str]:
        if sentence not in self._told:
            self._told.add(sentence)
            yield sentence
