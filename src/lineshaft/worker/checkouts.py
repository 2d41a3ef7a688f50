"""Workspaces with a source: kept from one attempt to the next, and lent to one at a time."""

import asyncio
import json
import logging
import os
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

from lineshaft.integrations.git.index import UnreadableIndexError, read_index
from lineshaft.integrations.git.thread import in_thread
from lineshaft.worker.cleaning import Cleaning, FolderForm, UncleanError
from lineshaft.worker.removal import remove_tree

KEPT: Final = 16
"""How many idle ones a worker keeps when nobody says otherwise."""

_LOG: Final = logging.getLogger("lineshaft.worker")
_MODE: Final = 0o700
_JOBS_AT_MOST: Final = 64
_REMOVALS_AT_ONCE: Final = 2
_RUBBISH: Final = "rubbish"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True, eq=False)
class Checkout:
    """A work tree, and what is known of it outside of what its tasks see.

    Attributes:
        place: the folder that holds both.
        key: says whose it is.
        used: whether an attempt has had it before.
        intact: whether it holds all that its last checkout has written, and nothing else.
        lent_ns: the file system's time when it was last ready for a task.
        cleaning: goes on behind the last attempt; None when it is over.
    """

    place: Path
    key: str
    used: bool = False
    intact: bool = False
    lent_ns: int = 0
    cleaning: asyncio.Task[None] | None = None

    @property
    def folder(self) -> Path:
        """The work tree, by a name that no other task has at the same time."""
        return self.place / f"checkout-{self.place.name}"

    @property
    def keeper(self) -> Path:
        """What git knows of it."""
        return self.place / "keeper"

    @property
    def mark(self) -> Path:
        """A file that is there only while it is idle and clean."""
        return self.place / "idle"

    def create(self) -> None:
        """Make its folders, if it is new.

        Raises:
            OSError: there is no room for them.
        """
        if not self.used:
            self.place.mkdir(mode=_MODE)
            self.folder.mkdir(mode=_MODE)

    def is_there(self) -> bool:
        """Tell whether its work tree is still in its place."""
        return os.path.lexists(self.folder)

    def begin(self) -> None:
        """Note that a task gets it now, as it is."""
        stamp = self.place / "lent"
        stamp.write_bytes(b"")
        self.lent_ns = stamp.stat().st_mtime_ns
        self.used = True


class Checkouts:
    """All the workspaces of one worker that hold a source, below one root.

    One that comes back is cleaned in the background, behind the attempt's report, and waits for the next
    attempt of its key. Which ones are idle and clean stands in their marks, the last to be written and the
    first to be removed: after a sudden death nothing else is trusted, and none after a start of the machine.
    """

    def __init__(self, root: Path, kept: int = KEPT) -> None:
        """Use `root`, which is made when it is not there.

        Args:
            root: where they are.
            kept: how many idle ones are kept at most.
        """
        self._root: Final = root
        self._kept: Final = kept
        self._rubbish: Final = root / _RUBBISH
        self._numbers = count(1)
        self._idle: list[Checkout] = []
        self._jobs: set[asyncio.Task[None]] = set()
        # Cleaning is waited for, and must find a free thread whatever else there is to remove.
        self._removing = asyncio.Semaphore(_REMOVALS_AT_ONCE)
        self._rubbish.mkdir(mode=_MODE, parents=True, exist_ok=True)
        self._form: Final = FolderForm.below(root)
        self._era: Final = f"{_boot()} {self._form.text}"

    async def recover(self) -> None:
        """Take over what an earlier process has left idle, before the first is lent; the rest is removed."""
        self._idle = await in_thread(self._find_idle)
        self._numbers = count(1 + max((int(each.place.name) for each in self._idle), default=0))
        self._begin_job(self._in_turn(self._empty_rubbish))
        self._evict(self._kept)

    async def lend(self, key: str) -> Checkout:
        """Lend the one of this key that was used last, clean; or a new one when all are in use.

        Whoever has it gives it to `take_back` or to `discard`.
        """
        while found := next((each for each in reversed(self._idle) if each.key == key), None):
            if found.cleaning is not None:
                # It stays idle meanwhile, and may be lent to another or be gone after that.
                await asyncio.wait({found.cleaning})
                continue
            self._idle.remove(found)
            found.mark.unlink(missing_ok=True)
            return found
        return self.make(key)

    def make(self, key: str) -> Checkout:
        """Make a new one, whose folders are not there yet; see `lend`."""
        while True:
            checkout = Checkout(self._root / str(next(self._numbers)), key)
            # What could not be removed may be in the way.
            if not os.path.lexists(checkout.place):
                return checkout

    async def take_back(self, checkout: Checkout) -> None:
        """Take one back that held a whole checkout when it was lent; nobody may use it any more.

        It is cleaned in the background. Waits only when very much is to be done there.
        """
        if not self._kept:
            self.discard(checkout)
            return
        checkout.cleaning = self._begin_job(self._clean(checkout))
        self._idle.append(checkout)
        self._evict(self._kept)
        if len(self._jobs) > _JOBS_AT_MOST:
            await asyncio.wait(self._jobs, return_when=asyncio.FIRST_COMPLETED)

    def discard(self, checkout: Checkout) -> None:
        """Throw one away, whatever is in it; nobody may use it any more."""
        self._begin_job(self._remove(checkout))

    async def discard_idle(self) -> None:
        """Throw all away that are idle, and wait until their room is free."""
        self._evict(0)
        await self.close()

    async def close(self) -> None:
        """Wait until all that came back is clean, and all that is thrown away is gone."""
        while self._jobs:
            await asyncio.wait(self._jobs)

    def _evict(self, kept: int) -> None:
        while len(self._idle) > kept:
            self.discard(self._idle.pop(0))

    def _begin_job(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job

    async def _clean(self, checkout: Checkout) -> None:
        rubbish = self._rubbish / secrets.token_hex(16)
        try:
            await in_thread(partial(self._clean_now, checkout, rubbish))
        except (UncleanError, UnreadableIndexError, OSError) as error:
            _LOG.info("The workspace %s is thrown away: %s.", checkout.place, error or "its index is damaged")
            if checkout in self._idle:
                self._idle.remove(checkout)
                self.discard(checkout)
        finally:
            checkout.cleaning = None
        self._begin_job(self._in_turn(partial(_remove, rubbish)))

    def _clean_now(self, checkout: Checkout, rubbish: Path) -> None:
        rubbish.mkdir(mode=_MODE)
        entries = read_index((checkout.keeper / "index").read_bytes())
        checkout.intact = Cleaning(checkout.folder, entries, checkout.lent_ns, self._form, rubbish).clean()
        self._write_mark(checkout)

    def _write_mark(self, checkout: Checkout) -> None:
        unfinished = checkout.place / "idle.new"
        facts = {"era": self._era, "key": checkout.key, "intact": checkout.intact}
        unfinished.write_text(json.dumps(facts))
        unfinished.rename(checkout.mark)

    async def _remove(self, checkout: Checkout) -> None:
        if checkout.cleaning is not None:
            await asyncio.wait({checkout.cleaning})
        await self._in_turn(partial(self._remove_now, checkout.place))

    async def _in_turn(self, removal: Callable[[], None]) -> None:
        async with self._removing:
            await in_thread(removal)

    def _remove_now(self, place: Path) -> None:
        if os.path.lexists(place):
            remove_tree(self._throw_away(place))

    def _throw_away(self, place: Path) -> Path:
        """Have it gone as a whole, also when this process dies while it removes what is in there."""
        target = self._rubbish / secrets.token_hex(16)
        try:
            return place.rename(target)
        except OSError:
            return place

    def _find_idle(self) -> list[Checkout]:
        found: list[tuple[int, Checkout]] = []
        for place in self._root.iterdir():
            if place == self._rubbish:
                continue
            checkout = self._read_mark(place)
            if checkout is None:
                self._throw_away(place)
            else:
                found.append((checkout.mark.stat().st_mtime_ns, checkout))
        return [checkout for _, checkout in sorted(found, key=lambda pair: pair[0])]

    def _read_mark(self, place: Path) -> Checkout | None:
        checkout = Checkout(place, "", used=True)
        try:
            facts = json.loads(checkout.mark.read_bytes())
            known = place.name.isdecimal() and facts["era"] == self._era
            checkout.key, checkout.intact = str(facts["key"]), facts["intact"] is True
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return checkout if known else None

    def _empty_rubbish(self) -> None:
        for path in list(self._rubbish.iterdir()):
            remove_tree(path)


def _remove(path: Path) -> None:
    remove_tree(path)


def _boot() -> str:
    """Name the time since the machine has started: what was written before may have been cut short."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
