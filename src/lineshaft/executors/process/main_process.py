"""The process that a command was started as."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Final

from lineshaft.executors.process.children import CHILDREN
from lineshaft.executors.process.death import DeathWatch


class MainProcess:
    """A child of this process that has just been started: registered as such, and watched.

    Attributes:
        pid: its id, which is no other process's before it is collected.
    """

    def __init__(self, pid: int, watch: Callable[[int], DeathWatch]) -> None:
        """Take charge of it, in the same breath as it is started; if that fails, it is killed.

        Args:
            pid: its id.
            watch: begins to wait for its death; `System.watch`.
        """
        self.pid: Final = pid
        try:
            self._death: Final = watch(pid)
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        CHILDREN.add(pid)

    @property
    def died(self) -> asyncio.Future[None]:
        """Done when it has ended; not to be cancelled."""
        return self._death.died

    def collect(self) -> int | None:
        """Give it back to the system; to be called once. It returns what `DeathWatch.collect` does."""
        status = self._death.collect()
        CHILDREN.remove(self.pid)
        return status
