"""The executor for commands on the worker's own machine."""

import asyncio
import logging
import os
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.executors.label import LABEL_VARIABLE
from lineshaft.executors.process.cgroup import Cgroup
from lineshaft.executors.process.execution import Execution
from lineshaft.executors.process.family import Family
from lineshaft.executors.process.pipe import OutputPipe
from lineshaft.executors.process.sandbox.execution import NO_SANDBOX, SandboxedExecution
from lineshaft.executors.process.sandbox.line import Line, encoded
from lineshaft.executors.process.sandbox.sandbox import Sandbox
from lineshaft.executors.process.start import start
from lineshaft.executors.process.system import System, this_system
from lineshaft.executors.process.table import ProcessRow
from lineshaft.executors.process.undertaker import Undertaker
from lineshaft.executors.refusal import refusal, why_unpassable
from lineshaft.ports.executor import ByteSink, Command, Container, Ending, Exit, NotStarted

_TRIES: Final = 5
"""How often a sandbox is tried to be made."""

_LOG = logging.getLogger(__name__)


class ProcessExecutor:
    """Runs commands as processes; see `ports.executor.Executor`.

    On Linux this process adopts what its commands orphan, for as long as it lives. Where it may make control
    groups, each command has one, and nothing leaves that without the rights of root. Elsewhere, what cleans
    its environment, leaves its session, closes its output and loses its parents is found while its command
    is alive, but not after that.

    Use it from one event loop, asyncio's or uvloop's, in one thread.
    """

    def __init__(
        self,
        system: System | None = None,
        *,
        sandbox: Sandbox | None = None,
        burial_pause: timedelta = timedelta(seconds=1),
    ) -> None:
        """Adopt orphans from now on.

        Args:
            system: what the operating system offers; None takes the best of it.
            sandbox: what commands run in; None leaves them all that this process's user may see.
            burial_pause: how long dead orphans may lie about while commands run.
        """
        self._system: Final = system or this_system()
        self._sandbox: Final = sandbox
        self._undertaker: Final = (
            Undertaker(self._system.table, burial_pause) if self._system.adopts else None
        )
        self._outer_labels: Final = os.environ.get(LABEL_VARIABLE, "")

    async def execute(self, command: Command, output: ByteSink, stop: asyncio.Event) -> Exit | NotStarted:
        """Run a command to its end; see `ports.executor.Executor.execute`."""
        if stop.is_set():
            return Exit(Ending.STOPPED)
        cgroup = self._cgroup(command)
        try:
            if self._sandbox is not None:
                return await self._execute_within(self._sandbox, command, output, cgroup, stop)
            return await self._execute_here(command, output, cgroup, stop)
        finally:
            if cgroup is not None and not cgroup.remove():
                await cgroup.kill(self._system.table)

    async def _execute_here(
        self, command: Command, output: ByteSink, cgroup: Cgroup | None, stop: asyncio.Event
    ) -> Exit | NotStarted:
        pipe = _open_pipe()
        if isinstance(pipe, NotStarted):
            return pipe
        with closing(pipe):
            with pipe.write_end() as write_end:
                pid = start(command, self._environment(command), write_end, cgroup)
            if isinstance(pid, NotStarted):
                return pid
            with self._undertaker.on_duty() if self._undertaker else nullcontext():
                return await Execution(command, pid, pipe, self._system, cgroup).run(output, stop)

    async def _execute_within(
        self,
        sandbox: Sandbox,
        command: Command,
        output: ByteSink,
        cgroup: Cgroup | None,
        stop: asyncio.Event,
    ) -> Exit | NotStarted:
        environment = self._environment(command)
        if (unpassable := why_unpassable(command, environment)) is not None:
            return unpassable
        try:
            content = encoded(command, environment)
        except ValueError as error:
            return refusal(0, in_folder=False, text=str(error), command=command)
        # The command's environment is handed over with it, so that bwrap itself heeds none of it.
        call = replace(
            command,
            argv=tuple(sandbox.arguments(command.writable, command.readable)),
            cwd=Path("/"),
            env={LABEL_VARIABLE: environment[LABEL_VARIABLE]},
        )
        complaint = b""
        # bwrap goes through all that is mounted on the machine, and gives up where something of that is gone
        # when it comes to it, as the files of a container that ends. The command has not begun then.
        for _ in range(_TRIES):
            result, complaint = await self._try_within(
                command, call, content, output, cgroup=cgroup, stop=stop
            )
            if result is not NO_SANDBOX:
                break
        else:
            result = NO_SANDBOX
        if complaint:
            await output.write(complaint)
        return result

    async def _try_within(
        self,
        command: Command,
        call: Command,
        content: bytes,
        output: ByteSink,
        *,
        cgroup: Cgroup | None,
        stop: asyncio.Event,
    ) -> tuple[Exit | NotStarted, bytes]:
        """Execute a command by a call of bwrap, and tell also what that said where there is no sandbox."""
        pipe = _open_pipe()
        if isinstance(pipe, NotStarted):
            return pipe, b""
        with closing(pipe), closing(Line()) as line:
            with pipe.write_end() as write_end, line.its_end:
                pid = start(call, call.env, write_end, cgroup, standard_input=line.its_end.fileno())
            if isinstance(pid, NotStarted):
                return pid, b""
            execution = SandboxedExecution(command, pid, pipe, self._system, line)
            return await execution.run(content, output, stop), execution.complaint

    async def build(self, container: Container, output: ByteSink, stop: asyncio.Event) -> Container:
        """Build nothing: processes run in no image."""
        del output, stop
        return container

    async def sweep(self, label_prefix: str) -> int:
        """Kill what a former worker has left; see `ports.executor.Executor.sweep`."""
        table = self._system.table

        def is_left(row: ProcessRow) -> bool:
            return any(label.startswith(label_prefix) for label in table.labels(row.pid))

        cgroups = [] if self._system.cgroups is None else self._system.cgroups.leftovers(label_prefix)
        killed = [await cgroup.kill(table) for cgroup in cgroups]
        return sum(killed) + await Family(table, table.rows, is_left).kill()

    def _cgroup(self, command: Command) -> Cgroup | None:
        try:
            return None if self._system.cgroups is None else self._system.cgroups.create(command.label)
        except OSError as error:
            _LOG.warning("A command goes without a control group: %s.", error)
            return None

    def _environment(self, command: Command) -> dict[str, str]:
        # A worker that is itself a task hands its own label down, so that the outer worker finds what it
        # leaves.
        label = f"{self._outer_labels} {command.label}".lstrip()
        return {**command.env, LABEL_VARIABLE: label}


def _open_pipe() -> OutputPipe | NotStarted:
    try:
        return OutputPipe()
    except OSError as error:
        return NotStarted(f"The worker's machine has no room for another process: {error.strerror}.")
