"""Files that are open to be packed: read once, and no more of them than they had at first."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Final, Self

from lineshaft.archive.finding import Found, TooManyFilesError
from lineshaft.archive.limits import CHUNK_BYTES, MOST_ENTRIES

_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class FileChangedError(Exception):
    """A file became shorter while it was read, so that what was kept of it would be wrong.

    The message is the end of a sentence.
    """


class Opened:
    """A file that is open, and still the plain file that was found.

    Attributes:
        size_bytes: how large it was when it was opened.
    """

    def __init__(self, found: Found) -> None:
        self._descriptor = os.open(found.name, _READ_FLAGS, dir_fd=found.folder)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._descriptor)
            raise OSError(errno.EINVAL, "it is no plain file any more")
        self.size_bytes = status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def chunks(self) -> Iterator[bytes]:
        """Read it, and no more of it than it had at first."""
        left = self.size_bytes
        while left and (chunk := os.read(self._descriptor, min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def counted(files: Iterable[Found]) -> Iterator[Found]:
    """Pass files on, and raise TooManyFilesError at the first that is too many."""
    for number, found in enumerate(files):
        if number >= MOST_ENTRIES:
            raise TooManyFilesError(f"has more than {MOST_ENTRIES:,} files")
        yield found


def read_at_most(found: Found, limit_bytes: int) -> bytes:
    """Read a whole file.

    Raises:
        OSError: it cannot be read, or is larger.
    """
    with Opened(found) as file:
        if file.size_bytes > limit_bytes:
            raise OSError(errno.EFBIG, f"it is larger than {limit_bytes:,} bytes")
        return b"".join(file.chunks())


def single_file(found: Found) -> Iterator[bytes]:
    """Read one file as it is, up to the size that it had when it was opened.

    Raises:
        OSError: it cannot be read.
        FileChangedError: it became shorter.
    """
    with Opened(found) as file:
        done = 0
        for chunk in file.chunks():
            done += len(chunk)
            yield chunk
        if done < file.size_bytes:
            raise FileChangedError(f"{found.path!r} became shorter while it was read")
