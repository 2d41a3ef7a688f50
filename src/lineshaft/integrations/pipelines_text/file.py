"""A file of pipelines in a file system."""

import asyncio
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.definition.encoded import SIZE_LIMIT_BYTES
from lineshaft.model.errors import UnavailableError

_PAUSE: Final = timedelta(seconds=1)

_Fingerprint = tuple[int, int, int, int, int]


class PipelinesAtPath:
    """A file that is looked at again and again; `ports.pipelines_text.PipelinesText`.

    It is looked at by name, through all links, so that it does not matter how another one takes its place. A
    changed one is read only when two looks have found it the same: before that, somebody may be writing it.
    """

    def __init__(self, path: Path) -> None:
        """Look at a file, which need not be there yet."""
        self._path: Final = path
        self._looked = False
        self._seen: _Fingerprint | None = None
        self._read_as: _Fingerprint | None = None

    @property
    def place(self) -> str:
        """Its path."""
        return str(self._path)

    @property
    def pause(self) -> timedelta:
        """How long to wait from one look to the next."""
        return _PAUSE

    async def changed(self) -> bytes | None:
        """Read it if it has changed, and is not changing any more.

        Raises:
            UnavailableError: it cannot be read now.
        """
        return await asyncio.to_thread(self._look)

    def _look(self) -> bytes | None:
        first, self._looked = not self._looked, True
        try:
            seen = _fingerprint(self._path.stat())
            settled, self._seen = first or seen == self._seen, seen
            return self._read() if settled and seen != self._read_as else None
        except OSError as error:
            self._seen = self._read_as = None
            raise UnavailableError(f"{error.strerror or error}.") from error

    def _read(self) -> bytes:
        # Whoever opens a pipe waits for its other end.
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError("it is no regular file")
            text = file.read(SIZE_LIMIT_BYTES + 1)
        self._read_as = _fingerprint(status)
        return text


def _fingerprint(status: os.stat_result) -> _Fingerprint:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
