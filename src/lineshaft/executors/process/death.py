"""Learning that a process has died, without asking again and again."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Sequence
from typing import Final, Protocol

from lineshaft.executors.process.table import ProcessRow, ProcessTable

_LOOK_AGAIN_SECONDS: Final = 0.01


class DeathWatch(Protocol):
    """Waits for the end of one child of this process.

    Attributes:
        died: done when the child has ended; not to be cancelled.
    """

    died: asyncio.Future[None]

    def collect(self) -> int | None:
        """Give the child back to the system and tell how it ended; to be called once.

        Returns:
            The exit code, or minus the number of the signal that ended it; None when it is still alive, or
            when other code has collected its status.
        """
        ...


class PidfdWatch:
    """Waits by a pidfd (pidfd_open(2)); until it is collected the child keeps its pid, as a zombie."""

    def __init__(self, pid: int) -> None:
        """Begin to watch.

        Raises:
            OSError: the system has no pidfds, or no file descriptor to spare.
        """
        self._loop: Final = asyncio.get_running_loop()
        self._pid: Final = pid
        self.died = self._loop.create_future()
        self._pidfd: Final = os.pidfd_open(pid)
        self._loop.add_reader(self._pidfd, self._notice)

    def collect(self) -> int | None:
        """Collect the status of the child."""
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        try:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            return None
        return os.waitstatus_to_exitcode(status) if pid else None

    def _notice(self) -> None:
        self._loop.remove_reader(self._pidfd)
        self.died.set_result(None)


class ThreadWatch:
    """Waits in a thread of its own, for systems without pidfds."""

    def __init__(self, pid: int) -> None:
        """Begin to watch.

        Raises:
            RuntimeError: the system has no thread to spare.
        """
        self._loop: Final = asyncio.get_running_loop()
        self._pid: Final = pid
        self._code: int | None = None
        self.died = self._loop.create_future()
        threading.Thread(target=self._wait, name=f"wait for {pid}", daemon=True).start()

    def collect(self) -> int | None:
        """Tell what the thread has collected."""
        return self._code

    def _wait(self) -> None:
        with contextlib.suppress(ChildProcessError):
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        with contextlib.suppress(RuntimeError):  # The loop has been closed.
            self._loop.call_soon_threadsafe(self.died.set_result, None)


def watch_by_best(pid: int) -> DeathWatch:
    """Watch by a pidfd where the system has one to give, else by a thread."""
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            return PidfdWatch(pid)
    return ThreadWatch(pid)


async def wait_for_deaths(table: ProcessTable, rows: Sequence[ProcessRow], timeout_seconds: float) -> None:
    """Wait until all these processes, children or not, have ended.

    Args:
        table: the machine's processes.
        rows: whom to wait for.
        timeout_seconds: how long to wait at most.
    """
    if not hasattr(os, "pidfd_open"):
        await asyncio.sleep(min(_LOOK_AGAIN_SECONDS, max(timeout_seconds, 0)))
        return
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        deaths = []
        for row in rows:
            try:
                pidfd = os.pidfd_open(row.pid)
            except OSError:
                continue
            stack.callback(os.close, pidfd)
            now = table.row(row.pid)
            if now is not None and now.identity == row.identity:
                death = loop.create_future()
                loop.add_reader(pidfd, _notice, loop, pidfd, death)
                stack.callback(loop.remove_reader, pidfd)
                deaths.append(death)
        if deaths:
            await asyncio.wait(deaths, timeout=max(timeout_seconds, 0))
        else:
            await asyncio.sleep(0)


def _notice(loop: asyncio.AbstractEventLoop, pidfd: int, death: asyncio.Future[None]) -> None:
    # The pidfd stays readable, and would keep the loop busy until the last of the others has died.
    loop.remove_reader(pidfd)
    death.set_result(None)
