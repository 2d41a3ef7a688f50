"""One command from its start to the end of all that it has started."""

import asyncio
import contextlib
import logging
import os
import signal
from typing import Final

from lineshaft.executors.ending import wait_for_ending
from lineshaft.executors.process.cgroup import Cgroup
from lineshaft.executors.process.children import CHILDREN
from lineshaft.executors.process.death import wait_for_deaths
from lineshaft.executors.process.family import Family
from lineshaft.executors.process.main_process import MainProcess
from lineshaft.executors.process.pipe import OutputPipe
from lineshaft.executors.process.system import System
from lineshaft.executors.process.table import ProcessRow
from lineshaft.ports.executor import ByteSink, Command, Ending, Exit

_PATIENCE_SECONDS: Final = 1.0
_STATUS_UNKNOWN: Final = 255

_LOG = logging.getLogger(__name__)


class Execution:
    """A command whose main process has just been started."""

    def __init__(
        self,
        command: Command,
        pid: int,
        pipe: OutputPipe,
        system: System,
        cgroup: Cgroup | None,
    ) -> None:
        """Take charge of the process; if that fails, it is killed.

        Args:
            command: what was started.
            pid: its main process.
            pipe: where its output comes.
            system: what the operating system offers.
            cgroup: the control group made for it.
        """
        self._loop: Final = asyncio.get_running_loop()
        self._command: Final = command
        self._cgroup: Final = cgroup
        self._pipe: Final = pipe
        self._table: Final = system.table
        self._adopts: Final = system.adopts
        self._family: Final = Family(system.table, self._look, self._is_ours)
        self._main: Final = MainProcess(pid, system.watch)

    async def run(self, output: ByteSink, stop: asyncio.Event) -> Exit:
        """Stay with the command until nothing of it is left; see `ports.executor.Executor.execute`."""
        pump = self._loop.create_task(self._pipe.pump(output))
        stopped = self._loop.create_task(stop.wait())
        try:
            ending = await wait_for_ending(self._main.died, stopped, (pump,), self._command.timeout)
            if ending is not Ending.ENDED:
                await self._ask_to_end()
            await self._kill_what_is_left()
            self._pipe.finish()
            await pump
        except BaseException:
            await self._kill_what_is_left()
            raise
        finally:
            stopped.cancel()
            if not pump.done():
                pump.cancel()
                await asyncio.wait({pump})
            status = self._collect()
        return Exit(ending, signal=-status) if status < 0 else Exit(ending, exit_code=status)

    async def _ask_to_end(self) -> None:
        until = self._loop.time() + self._command.grace.total_seconds()
        # Whoever has left the group is found while its parents are alive, and remembered.
        self._family.living()
        self._signal_group(signal.SIGTERM)
        self._signal_group(signal.SIGCONT)
        while group := [row for row in self._family.living() if row.group == self._main.pid]:
            left = until - self._loop.time()
            if left <= 0:
                return
            await wait_for_deaths(self._table, group, left)

    async def _kill_what_is_left(self) -> None:
        if self._main.died.done():
            self._signal_group(signal.SIGKILL)
            if self._adopts and (self._cgroup is None or self._cgroup.remove()) and self._leaves_nobody():
                return
        if self._cgroup is not None:
            await self._cgroup.kill(self._table)
        await self._family.kill()
        if not self._main.died.done():
            await asyncio.wait({self._main.died}, timeout=_PATIENCE_SECONDS)

    def _leaves_nobody(self) -> bool:
        # This is the way of nearly every command, so it asks for nothing but this process's children.
        strangers = CHILDREN.strangers(self._table, self._loop.time())
        return not any(row.ended or self._is_ours(row) for row in strangers)

    def _look(self) -> list[ProcessRow]:
        if not self._adopts:
            return self._table.rows()
        # Whoever descends from the command is below its main process, or below an orphan that was adopted.
        return self._table.trees([self._main.pid, *self._table.own_children()])

    def _is_ours(self, row: ProcessRow) -> bool:
        if self._main.pid in (row.pid, row.session):
            return True
        # Without a living parent among us, it is a child of this process, wherever processes adopt.
        if (self._adopts and row.parent != os.getpid()) or not CHILDREN.may_be_adopted(row):
            return False
        return self._command.label in self._table.labels(row.pid) or self._table.holds_pipe(
            row.pid, self._pipe.inode
        )

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._main.pid, number)

    def _collect(self) -> int:
        status = self._main.collect()
        if status is None:
            _LOG.warning("How process %d has ended could not be learnt.", self._main.pid)
            status = _STATUS_UNKNOWN if self._main.died.done() else -signal.SIGKILL
        return status
