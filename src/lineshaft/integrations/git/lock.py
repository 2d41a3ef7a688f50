"""A lock between the processes of one machine that share a folder."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path
from typing import Final

from lineshaft.integrations.git.uses import is_at

_PAUSE_SECONDS: Final = 0.05
_LABEL_BYTES: Final = 1024


@asynccontextmanager
async def locked(path: Path, label: str, sweep: Callable[[str], Awaitable[None]]) -> AsyncIterator[None]:
    """Hold a file's lock (flock(2)), which the system takes back when this process dies.

    What the process had begun may be alive then. So the file tells who holds the lock, until it is given
    back; and whoever finds somebody there has the dead one's work ended first.

    Args:
        path: the file, which is made; its lock is for this alone.
        label: names the holder.
        sweep: ends what the holder of a label has left.
    """
    while (file := _taken(path)) is None:  # noqa: ASYNC110 - another process tells nobody that it is done.
        await asyncio.sleep(_PAUSE_SECONDS)
    with file:
        file.seek(0)
        former = file.read(_LABEL_BYTES).decode("ascii", "replace")
        if former:
            await sweep(former)
            file.truncate(0)
        file.write(label.encode())
        try:
            yield
        finally:
            file.truncate(0)


def free(path: Path) -> None:
    """Remove the file of a lock that nobody holds, and that is wanted no more."""
    file = _taken(path) if path.exists() else None
    if file is not None:
        with file:
            path.unlink(missing_ok=True)


def _taken(path: Path) -> FileIO | None:
    """Take the lock, and return its file; None while another holds it, or has just removed it."""
    file = FileIO(path, "a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    if is_at(file, path):
        return file
    file.close()
    return None
