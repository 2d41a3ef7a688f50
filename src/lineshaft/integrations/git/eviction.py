"""Mirrors that nobody uses any more are removed, so that their folder does not grow for ever."""

import asyncio
import logging
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from lineshaft.integrations.git.lock import free
from lineshaft.integrations.git.thread import in_thread
from lineshaft.integrations.git.uses import SUFFIX, alone, last_use, note_use
from lineshaft.ports.clock import Clock

UNUSED: Final = timedelta(days=30)
"""After how long without use a mirror goes."""

OUT_OF_USE: Final = timedelta(days=1)
"""Since when a mirror must not have been used that goes because the disk is nearly full."""

LEAST_FREE: Final = 0.1
"""Which share of the disk is to be free."""

_PAUSE: Final = timedelta(hours=1)
_MIRROR: Final = ".git"
_GONE: Final = ".gone"
_LOG: Final = logging.getLogger("lineshaft.git")


def free_share(folder: Path) -> float:
    """Tell which share of the disk is free that a folder is on."""
    usage = shutil.disk_usage(folder)
    return usage.free / usage.total


def _none() -> Iterable[Path]:
    return ()


class MirrorEviction:
    """Removes the mirrors in a folder that nobody uses any more; other processes may do so as well.

    Those go that were not used for `UNUSED`. While less than `LEAST_FREE` of the disk is free, so do those
    that were not used for `OUT_OF_USE`, one after the other, the longest unused first. One that somebody
    holds stays.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        wanted: Callable[[], Iterable[Path]] = _none,
        share: Callable[[Path], float] = free_share,
    ) -> None:
        """Look after a folder.

        Args:
            folder: where the mirrors are.
            clock: tells the time.
            wanted: lists mirrors that stay although nobody uses them just now.
            share: tells which share of a folder's disk is free.
        """
        self._folder: Final = folder
        self._clock: Final = clock
        self._wanted: Final = wanted
        self._share: Final = share

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Go round once an hour while the context is open."""
        going = asyncio.create_task(self._go_on())
        try:
            yield
        finally:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)

    async def go_round(self) -> None:
        """Remove what is to be removed now."""
        for mirror in self._wanted():
            note_use(mirror, self._clock.now())
        await in_thread(self._go_round)

    async def _go_on(self) -> None:
        while True:
            try:
                await self.go_round()
            except OSError as error:
                _LOG.warning("The mirrors in %s cannot be looked through: %s", self._folder, error)
            await asyncio.sleep(_PAUSE.total_seconds())

    def _go_round(self) -> None:
        for gone in self._folder.glob(f"*{_GONE}"):
            shutil.rmtree(gone, ignore_errors=True)
        now = self._clock.now()
        for used_at, mirror in self._by_last_use(now):
            unused = now - used_at
            is_tight = unused >= OUT_OF_USE and self._share(self._folder) < LEAST_FREE
            if unused >= UNUSED or is_tight:
                self._try_to_remove(mirror, used_at)

    def _by_last_use(self, now: datetime) -> list[tuple[datetime, Path]]:
        names = {path.stem for each in (_MIRROR, SUFFIX) for path in self._folder.glob(f"*{each}")}
        found = []
        for name in names:
            mirror = self._folder / f"{name}{_MIRROR}"
            used_at = last_use(mirror)
            if used_at is None:
                # It is older than such notes are: from now on it counts.
                note_use(mirror, now)
            else:
                found.append((used_at, mirror))
        return sorted(found)

    def _try_to_remove(self, mirror: Path, used_at: datetime) -> None:
        try:
            self._remove(mirror, used_at)
        except OSError as error:
            _LOG.warning("The mirror %s cannot be removed: %s", mirror, error)

    def _remove(self, mirror: Path, used_at: datetime) -> None:
        gone = self._folder / f"{mirror.stem}-{secrets.token_hex(8)}{_GONE}"
        with alone(mirror) as is_alone:
            if not is_alone or last_use(mirror) != used_at:
                return
            with suppress(FileNotFoundError):
                mirror.rename(gone)
            if last_use(mirror) != used_at and not mirror.exists():
                # Whoever wants it at this very moment has it back.
                with suppress(FileNotFoundError):
                    gone.rename(mirror)
                return
            free(mirror.with_suffix(".lock"))
            mirror.with_suffix(SUFFIX).unlink(missing_ok=True)
        if gone.exists():
            shutil.rmtree(gone, ignore_errors=True)
            _LOG.info("The mirror %s was removed: nobody has used it since %s.", mirror, used_at.isoformat())
