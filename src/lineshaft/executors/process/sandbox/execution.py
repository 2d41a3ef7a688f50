"""One command in a sandbox, from its start to the end of all that it has started."""

import asyncio
import contextlib
import logging
import os
import signal
from typing import Final, assert_never

from lineshaft.executors.ending import wait_for_ending
from lineshaft.executors.process.family import Family
from lineshaft.executors.process.main_process import MainProcess
from lineshaft.executors.process.pipe import OutputPipe
from lineshaft.executors.process.sandbox.line import Ended, Line, Refused, Vanished
from lineshaft.executors.process.system import System
from lineshaft.executors.process.table import ProcessRow
from lineshaft.executors.refusal import refusal
from lineshaft.ports.executor import ByteSink, Command, Ending, Exit, NotStarted

_PATIENCE_SECONDS: Final = 10.0
_BRIEFLY_SECONDS: Final = 1.0

NO_SANDBOX: Final = NotStarted(
    "The command's sandbox could not be made; what bwrap says of it is in the log. With `sandbox` set to "
    "`none` the worker runs tasks without."
)

_LOG = logging.getLogger(__name__)


class SandboxedExecution:
    """A command whose sandbox is being made.

    The first process in there is known by its pidfd as soon as it speaks. When that one has ended, the system
    has ended all others of its PID namespace (pid_namespaces(7)), so that no other way of finding them is
    needed.

    Attributes:
        complaint: what bwrap has said where the sandbox was not made.
    """

    def __init__(self, command: Command, pid: int, pipe: OutputPipe, system: System, line: Line) -> None:
        """Take charge; if that fails, the process is killed.

        Args:
            command: what is to be started.
            pid: bwrap's process.
            pipe: where the output comes.
            system: what the operating system offers.
            line: leads to the first process in the sandbox.
        """
        self._loop: Final = asyncio.get_running_loop()
        self._command: Final = command
        self._pipe: Final = pipe
        self._table: Final = system.table
        self._line: Final = line
        self._main: Final = MainProcess(pid, system.watch)
        self.complaint = b""

    async def run(self, content: bytes, output: ByteSink, stop: asyncio.Event) -> Exit | NotStarted:
        """Stay with the command until nothing of it is left; see `ports.executor.Executor.execute`.

        Args:
            content: the command as `line.encoded` makes it.
            output: takes what it writes.
            stop: when set, it is to end.
        """
        pump = self._loop.create_task(self._pump(output))
        stopped = self._loop.create_task(stop.wait())
        handing = self._loop.create_task(self._line.hand_over(content))
        try:
            ending = await wait_for_ending(self._line.fate, stopped, (pump, handing), self._command.timeout)
            if ending is not Ending.ENDED:
                await self._ask_to_end(handing)
            await self._kill()
            self._line.settle(made=False)
            self._pipe.finish()
            await pump
            return self._result(ending)
        except BaseException:
            await self._kill()
            raise
        finally:
            for task in (stopped, handing, pump):
                task.cancel()
            await asyncio.wait({stopped, handing, pump})
            self._main.collect()

    async def _pump(self, output: ByteSink) -> None:
        # The command begins when the first process has spoken; what is written before that is bwrap's.
        await self._pipe.pump(output if await asyncio.shield(self._line.made) else self)

    async def write(self, data: bytes) -> None:
        """Keep what bwrap says instead of making the sandbox."""
        self.complaint += data

    async def _ask_to_end(self, handing: asyncio.Task[None]) -> None:
        until = self._loop.time() + self._command.grace.total_seconds()
        await asyncio.wait({handing}, timeout=max(until - self._loop.time(), 0))
        if handing.done():
            self._line.ask_to_end()
            await asyncio.wait({self._line.empty}, timeout=max(until - self._loop.time(), 0))

    async def _kill(self) -> None:
        known = self._line.kill()
        if known and not await self._line.wait_for_death(_PATIENCE_SECONDS):
            _LOG.warning(
                "A command that was killed is still there, in the sandbox of process %d.", self._main.pid
            )
        if known and not self._main.died.done():
            # It ends by itself when it has buried the first process.
            await asyncio.wait({self._main.died}, timeout=_BRIEFLY_SECONDS)
        if not self._main.died.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._main.pid, signal.SIGKILL)
            await Family(self._table, self._look, self._is_ours).kill()
            await asyncio.wait({self._main.died}, timeout=_BRIEFLY_SECONDS)

    def _look(self) -> list[ProcessRow]:
        return self._table.trees([self._main.pid, *self._table.own_children()])

    def _is_ours(self, row: ProcessRow) -> bool:
        return self._main.pid in (row.pid, row.session)

    def _result(self, ending: Ending) -> Exit | NotStarted:
        if not self._line.fate.done():
            return Exit(ending, signal=signal.SIGKILL)
        match self._line.fate.result():
            case Ended(status=status) if status < 0:
                return Exit(ending, signal=-status)
            case Ended(status=status):
                return Exit(ending, exit_code=status)
            case Refused(number=number, in_folder=in_folder, text=text):
                return refusal(number, in_folder=in_folder, text=text, command=self._command)
            case Vanished(made=False) if ending is Ending.ENDED:
                return NO_SANDBOX
            case Vanished():
                return Exit(ending, signal=signal.SIGKILL)
            case other:
                assert_never(other)
