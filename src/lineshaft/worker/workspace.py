"""Workspaces without a source: an empty folder for each attempt, of its own while it lasts."""

import asyncio
import contextlib
import os
import stat
from itertools import count
from pathlib import Path
from typing import Final

from lineshaft.worker.removal import remove_tree

_MODE: Final = 0o700
_REMOVALS_AT_MOST: Final = 64


class Workspaces:
    """Lends folders below one root, each to one attempt at a time, and always empty.

    Making and removing a folder costs more than a small task does, so that one which comes back empty is lent
    again. What comes back with something in it is removed in the background, behind the attempt's report.
    """

    def __init__(self, root: Path) -> None:
        """Use `root`, which is made when it is not there."""
        self._root: Final = root
        self._numbers = count(1)
        self._free: list[Path] = []
        self._removals: set[asyncio.Task[bool]] = set()
        root.mkdir(mode=_MODE, parents=True, exist_ok=True)

    def lend(self) -> Path:
        """Lend an empty folder."""
        if self._free:
            return self._free.pop()
        while True:
            folder = self._root / str(next(self._numbers))
            # What could not be removed may be in the way.
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=_MODE)
                return folder

    async def take_back(self, folder: Path) -> None:
        """Take a folder back; nobody may use it any more. Waits only when very many are to be removed."""
        if _is_as_made(folder):
            self._free.append(folder)
            return
        removal = asyncio.create_task(asyncio.to_thread(remove_tree, folder))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)
        if len(self._removals) > _REMOVALS_AT_MOST:
            await asyncio.wait(self._removals, return_when=asyncio.FIRST_COMPLETED)

    async def clear(self) -> None:
        """Remove what an earlier process has left, before the first folder is lent."""
        await asyncio.to_thread(self._remove_all)

    async def close(self) -> None:
        """Wait until all that came back is removed."""
        while self._removals:
            await asyncio.wait(self._removals)

    def _remove_all(self) -> None:
        for path in list(self._root.iterdir()):
            remove_tree(path)


def _is_as_made(folder: Path) -> bool:
    """Whether a folder is empty and nobody has changed its mode or put something in its place."""
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or stat.S_IMODE(status.st_mode) != _MODE:
            return False
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return False
