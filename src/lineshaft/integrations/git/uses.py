"""Who uses which mirror, and when it was used last: told by a file beside each, to all processes."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import Final

SUFFIX: Final = ".use"
"""What the file beside a mirror ends in: as old as the mirror's last use, and locked while one goes on."""


def note_use(mirror: Path, now: datetime) -> None:
    """Note that a mirror is used now, whether it is there or not."""
    file, seconds = mirror.with_suffix(SUFFIX), now.timestamp()
    # A full disk shows where the mirror itself is written; without a note it counts as used just now.
    with suppress(OSError):
        file.touch(mode=0o600)
        os.utime(file, (seconds, seconds))


def last_use(mirror: Path) -> datetime | None:
    """Tell when a mirror was used last; None where that was never noted."""
    try:
        return datetime.fromtimestamp(mirror.with_suffix(SUFFIX).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


@contextmanager
def held(mirrors: Iterable[Path]) -> Iterator[None]:
    """Use mirrors for as long as the context is open: none of them is removed meanwhile."""
    with ExitStack() as held:
        for mirror in sorted(set(mirrors)):
            held.enter_context(_shared(mirror.with_suffix(SUFFIX)))
        yield


@contextmanager
def alone(mirror: Path) -> Iterator[bool]:
    """Keep all others from beginning to hold a mirror; say whether nobody holds it."""
    with mirror.with_suffix(SUFFIX).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield is_at(file, mirror.with_suffix(SUFFIX))


def is_at(file: FileIO | BufferedWriter, path: Path) -> bool:
    """Tell whether an open file is still the one of its name, and not one that was removed meanwhile."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _shared(path: Path) -> BufferedWriter:
    while True:
        file = path.open("ab")
        # Whoever holds it alone does so for no longer than it takes to rename a folder.
        fcntl.flock(file, fcntl.LOCK_SH)
        if is_at(file, path):
            return file
        file.close()
