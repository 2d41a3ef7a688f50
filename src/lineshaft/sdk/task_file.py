"""Files of tasks, read with care: whoever wrote them may have exchanged them for anything."""

import os
import stat
from pathlib import Path
from typing import Final

_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class UnusableFileError(Exception):
    """A file cannot be read as it is; the message is the end of a sentence.

    Attributes:
        missing: whether there is nothing at all.
    """

    def __init__(self, message: str, *, missing: bool = False) -> None:
        """Say what is wrong with it."""
        super().__init__(message)
        self.missing = missing


def read_regular(path: Path, limit_bytes: int) -> bytes:
    """Read a file that a task may have exchanged for anything; a link, a pipe or a device is not touched.

    Args:
        path: the file; its last part is not followed when it is a link.
        limit_bytes: the most that it may hold.

    Raises:
        UnusableFileError: it is missing, no regular file, or larger.
    """
    data = read_beginning(path, limit_bytes + 1)
    if len(data) > limit_bytes:
        raise UnusableFileError(f"is larger than {limit_bytes // 1024:,} KiB")
    return data


def read_beginning(path: Path, size_bytes: int) -> bytes:
    """Read the first bytes of a file, with the same care as `read_regular`, however large it is.

    Args:
        path: as for `read_regular`.
        size_bytes: how many at most.

    Raises:
        UnusableFileError: it is missing, or no regular file.
    """
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except FileNotFoundError:
        raise UnusableFileError("is missing", missing=True) from None
    except OSError as error:
        raise UnusableFileError(f"cannot be opened as a plain file ({error.strerror})") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnusableFileError("is no plain file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(size_bytes)
    except OSError as error:
        raise UnusableFileError(f"cannot be read ({error.strerror})") from error
    finally:
        os.close(descriptor)
