"""The workspaces of failed attempts that a worker keeps for a while, for whoever looks around there."""

import asyncio
import logging
import os
import secrets
import shlex
import stat
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from lineshaft.executors.settings import ExecutorChoice
from lineshaft.integrations.git.thread import in_thread
from lineshaft.model.state import State
from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.failed import (
    FOLDER,
    Facts,
    FailedWorkspace,
    read_failed,
    remove_failed,
    without_secrets,
    workspace_in,
)
from lineshaft.worker.removal import FOLDER_FLAGS, has_mounts, own_folder, remove_tree

KEPT_STATES: Final = (State.FAILED, State.TIMED_OUT)
"""How an attempt has ended whose workspace is kept."""

MOST: Final = 20
"""So many are kept at most; the oldest goes first."""

_LOG: Final = logging.getLogger("lineshaft.worker")
_MODE: Final = 0o700


async def _sleep(time: timedelta) -> None:
    await asyncio.sleep(time.total_seconds())


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a worker keeps workspaces.

    Attributes:
        worker: its name.
        time: for how long; None means that it keeps none.
        executor: in what its tasks run.
        default_image: the image of those in containers that name none.
    """

    worker: str
    time: timedelta | None
    executor: ExecutorChoice = ExecutorChoice.PROCESS
    default_image: str | None = None


class FailedWorkspaces:
    """Keeps workspaces of failed attempts below one root, each until its time is over."""

    def __init__(
        self,
        root: Path,
        keeping: Keeping,
        clock: Clock | None = None,
        pause: Callable[[timedelta], Awaitable[None]] = _sleep,
    ) -> None:
        """Use `root`, which is made when it is not there.

        Args:
            root: where they are, on the file system of the workspaces.
            keeping: how they are kept.
            clock: tells the time; None means the machine's.
            pause: waits until the next one goes.
        """
        self._root: Final = root
        self._keeping = keeping
        self._clock = clock or SystemClock()
        self._pause = pause
        self._kept: list[FailedWorkspace] = []
        self._timer: asyncio.Task[None] | None = None
        self._removals: set[asyncio.Task[None]] = set()
        root.mkdir(mode=_MODE, parents=True, exist_ok=True)

    async def recover(self) -> None:
        """Take over what an earlier process has kept; what is overdue, or not whole, is removed."""
        self._kept = await in_thread(self._find)
        self._keep_at_most(MOST)
        self._begin_timer()

    async def keep(
        self, lease: LeaseMessage, folder: Path, commit: str | None, objects: tuple[Path, ...]
    ) -> FailedWorkspace | None:
        """Keep the workspace of an attempt, which is moved: nobody may be at work in it.

        Args:
            lease: the attempt, which has failed.
            folder: its workspace.
            commit: what is checked out there; None where there is no source.
            objects: the folders outside of it that its repository reads.

        Returns:
            It; None where the worker keeps none, or cannot keep this one, which it says in its log.
        """
        if self._keeping.time is None:
            return None
        facts = Facts(
            lease=without_secrets(lease),
            commit=commit,
            objects=objects,
            until=self._clock.now() + self._keeping.time,
            executor=self._keeping.executor,
            default_image=self._keeping.default_image,
        )
        kept = FailedWorkspace(self._root / secrets.token_hex(16), facts)
        try:
            await in_thread(partial(_move, folder, kept))
        except OSError as error:
            _LOG.warning("The workspace of '%s' is not kept: %s.", lease.path, error.strerror or error)
            await in_thread(partial(remove_tree, kept.place))
            return None
        self._kept.append(kept)
        self._keep_at_most(MOST)
        self._begin_timer()
        return kept

    def line_about(self, kept: FailedWorkspace) -> str:
        """Tell the readers of an attempt's log how they get there."""
        lease = kept.facts.lease
        command = shlex.join(("lineshaft", "shell", str(lease.address.run_id), lease.path))
        return f"The workspace is kept until {kept.until_text}, on '{self._keeping.worker}': {command}\n"

    def mirrors(self) -> frozenset[Path]:
        """List the mirrors whose objects the repositories of what is kept read."""
        return frozenset(objects.parent for each in self._kept for objects in each.facts.objects)

    async def discard_all(self) -> None:
        """Throw all away that nobody is at work in, and wait until their room is free."""
        self._keep_at_most(0)
        await self._wait_for_removals()

    async def close(self) -> None:
        """Wait until all that is thrown away is gone; the others stay."""
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.gather(self._timer, return_exceptions=True)
        await self._wait_for_removals()

    async def _wait_for_removals(self) -> None:
        while self._removals:
            await asyncio.wait(self._removals)

    def _keep_at_most(self, most: int) -> None:
        self._remove(self._kept[: max(0, len(self._kept) - most)])

    def _remove(self, those: Iterable[FailedWorkspace]) -> None:
        for each in tuple(those):
            self._kept.remove(each)
            removal = asyncio.create_task(in_thread(partial(remove_failed, each.place)))
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)

    def _begin_timer(self) -> None:
        """Have the next one go when its time is over, whichever that is now."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.create_task(self._remove_in_time())

    async def _remove_in_time(self) -> None:
        while self._kept:
            now = self._clock.now()
            self._remove([each for each in self._kept if each.facts.until <= now])
            if self._kept:
                await self._pause(min(each.facts.until for each in self._kept) - now)

    def _find(self) -> list[FailedWorkspace]:
        now, found = self._clock.now(), []
        for place in list(self._root.iterdir()):
            kept = read_failed(place)
            if kept is None or kept.facts.until <= now:
                remove_failed(place)
            else:
                found.append(kept)
        return sorted(found, key=_time)


def failed_root(folder: Path, workspace_folder: Path) -> Path:
    """Tell where a worker keeps them: beside its workspaces, and to be found in its own folder.

    Args:
        folder: the worker's own, in its data folder.
        workspace_folder: the one with its workspaces, which may be the same.

    Raises:
        OSError: it cannot be written.
    """
    root, shown = workspace_folder / FOLDER, folder / FOLDER
    if shown.is_symlink():
        shown.unlink()
    if root == shown:
        return root
    if shown.exists():
        remove_tree(shown)
    shown.symlink_to(root)
    return root


def _time(kept: FailedWorkspace) -> datetime:
    return kept.facts.until


def _move(folder: Path, kept: FailedWorkspace) -> None:
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise OSError("another thing is in its place")
    if has_mounts(folder):
        raise OSError("something is mounted in it")
    parent = os.open(folder.parent, FOLDER_FLAGS)
    try:
        own_folder(parent, folder.name)
    finally:
        os.close(parent)
    kept.place.mkdir(mode=_MODE)
    folder.rename(workspace_in(kept.place))
    kept.write()
