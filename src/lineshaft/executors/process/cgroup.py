"""A control group of one command: all that the command starts is in it, whatever that does to get away."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lineshaft.executors.process.children import CHILDREN, bury
from lineshaft.executors.process.death import wait_for_deaths
from lineshaft.executors.process.table import ProcessRow, ProcessTable

_PATIENCE_SECONDS: Final = 10.0
_EMPTY_SECONDS: Final = 1.0
_BRIEFLY_SECONDS: Final = 0.001
_WAITED_FOR_AT_ONCE: Final = 64

_LOG = logging.getLogger(__name__)


class Cgroup:
    """A folder of a cgroup file system, made for one command (cgroups(7)).

    Attributes:
        path: the folder.
        unified: whether it is of version 2, into which commands are born by the `launcher`.
    """

    def __init__(self, path: Path, *, entered_from: Path | None = None) -> None:
        """Speak of a folder that is there already.

        Args:
            path: the folder.
            entered_from: in version 1 the folder of this process's own group; None in version 2.
        """
        self.path: Final = path
        self.unified: Final = entered_from is None
        self._home: Final = entered_from or path
        self._spared: Final[set[int]] = set()

    def limit(self, processes: int) -> None:
        """Let there be so many processes and threads in it at most, where the system counts them."""
        _write(self.path / "pids.max", str(processes))

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Have what this thread starts meanwhile be born in the group, in version 1; await nothing meanwhile.

        A thread moves itself at the price of a system call. To move a process takes the kernel milliseconds,
        and nothing less can be moved in version 2.

        Raises:
            OSError: the system does not let this thread into the group.
        """
        _move_to(self.path)
        try:
            yield
        finally:
            _move_to(self._home)

    def remove(self) -> bool:
        """Remove it if nobody is in it.

        Returns:
            Whether it is gone, which proves that nothing of the command is left in it or below it.
        """
        if _is_gone(self.path):
            return True
        return all(_is_gone(folder) for folder in self._folders())

    async def kill(self, table: ProcessTable) -> int:
        """Kill all who are in it or below it, and remove it.

        Who is not dead after ten seconds (it waits for a device), or may not be killed by this process, is
        given up; that is logged, and the folder stays for `sweep`.

        Returns:
            How many were found alive.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_SECONDS
        found: set[int] = set()
        while not self.remove():
            rows = [row for pid in self._strike() if (row := table.row(pid)) is not None]
            found.update(row.pid for row in rows)
            if loop.time() >= until or (rows and self._spared.issuperset(row.pid for row in rows)):
                _LOG.warning("%s cannot be removed, with processes %s.", self.path, [row.pid for row in rows])
                break
            if rows:
                await wait_for_deaths(table, rows[:_WAITED_FOR_AT_ONCE], until - loop.time())
                _bury(rows, table)
            else:
                # The dead have told so a moment before the kernel takes them from their group.
                until = min(until, loop.time() + _EMPTY_SECONDS)
                await asyncio.sleep(_BRIEFLY_SECONDS)
        return len(found)

    def _strike(self) -> set[int]:
        # Whoever was born while the others were being killed is killed in the next round; where the kernel
        # kills a group as a whole, or can keep it from growing, there is none.
        members = self._members()
        if not _write(self.path / "cgroup.kill", "1"):
            _ = _write(self.path / "pids.max", "0") or _write(self.path / "cgroup.freeze", "1")
            members = self._members()
            # The older first: who sees its child die, and can make no other, would end by itself.
            for pid in sorted(members):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                except PermissionError:
                    self._spared.add(pid)
        return members

    def _members(self) -> set[int]:
        members: set[int] = set()
        for folder in self._folders():
            with contextlib.suppress(OSError):
                members.update(int(pid) for pid in (folder / "cgroup.procs").read_text().split())
        # 0 stands for one that this process cannot see.
        return members - {0, os.getpid()}

    def _folders(self) -> Iterator[Path]:
        for folder, _, _ in os.walk(self.path, topdown=False):
            yield Path(folder)


def _is_gone(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError as error:
        return error.errno == errno.ENOENT
    return True


def _move_to(folder: Path) -> None:
    file = os.open(folder / "tasks", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, b"0")
    finally:
        os.close(file)


def _write(path: Path, text: str) -> bool:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(file, text.encode())
    except OSError as error:
        return error.errno == errno.ENODEV  # It has been removed meanwhile, so nobody was in it.
    finally:
        os.close(file)
    return True


def _bury(rows: list[ProcessRow], table: ProcessTable) -> None:
    for row in rows:
        now = table.row(row.pid)
        if now is None or now.identity != row.identity:
            continue
        if now.ended and now.parent == os.getpid() and CHILDREN.may_be_adopted(now):
            bury(now.pid)
