"""A command in its container, from the start to its end."""

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lineshaft.docker.failure import engine_errors
from lineshaft.executors.docker.attachment import Attachment
from lineshaft.executors.docker.first import Exited, Killed, NoFolder, NoProgram
from lineshaft.executors.ending import wait_for_ending
from lineshaft.executors.refusal import refusal
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Broken, ByteSink, Command, Ending, Exit, NotStarted

if TYPE_CHECKING:
    from aiodocker.containers import DockerContainer

_PATIENCE_SECONDS: Final = 10.0
_CALL_SECONDS: Final = 60.0
_NOW: Final = "SIGUSR1"
_SOON: Final = "SIGTERM"


@dataclass(frozen=True, slots=True)
class Execution:
    """A container that has been started.

    Attributes:
        command: what runs in it.
        container: the container.
        attachment: its output.
    """

    command: Command
    container: "DockerContainer"
    attachment: Attachment

    async def run(self, output: ByteSink, stop: asyncio.Event) -> Exit | NotStarted | Broken:
        """Stay with the command to its end; see `ports.executor.Executor.execute`.

        In the end the container may still be there, with nothing in it but the first process; and where this
        raises, with the command. It is for the caller to remove it.
        """
        loop = asyncio.get_running_loop()
        pump = loop.create_task(self.attachment.pump(output))
        stopped = loop.create_task(stop.wait())
        try:
            ending = await wait_for_ending(pump, stopped, (pump,), self.command.timeout)
            if ending is not Ending.ENDED:
                await self._end(pump)
            return await self._result(ending)
        finally:
            for task in (pump, stopped):
                task.cancel()
            await asyncio.wait({pump, stopped})

    async def _end(self, pump: asyncio.Task[None]) -> None:
        """Ask the command to end, and after its grace have it killed."""
        begun = asyncio.create_task(self.attachment.begun.wait())
        try:
            await asyncio.wait({pump, begun}, timeout=_PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()
        if not pump.done() and await self._signal(_SOON):
            await asyncio.wait({pump}, timeout=self.command.grace.total_seconds())
        if not pump.done() and await self._signal(_NOW):
            await asyncio.wait({pump}, timeout=_PATIENCE_SECONDS)
            while not pump.done() and self.attachment.busy:
                await asyncio.wait({pump}, timeout=_PATIENCE_SECONDS)
        if pump.done():
            pump.result()

    async def _signal(self, name: str) -> bool:
        """Send the first process a signal, and tell whether the engine has done so."""
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                await self.container.kill(signal=name)
        except engine_errors():
            return False
        return True

    async def _result(self, ending: Ending) -> Exit | NotStarted | Broken:
        match self.attachment.last:
            case Exited(code=code, memory_kills=kills, asked=asked):
                return Exit(_true(ending, asked=asked), exit_code=code, out_of_memory=kills > 0)
            case Killed(signal=number, memory_kills=kills, asked=asked):
                return Exit(_true(ending, asked=asked), signal=number, out_of_memory=kills > 0)
            case NoFolder(number=number) | NoProgram(number=number) as report:
                in_folder = isinstance(report, NoFolder)
                text = os.strerror(number)
                return refusal(number, in_folder=in_folder, text=text, command=self.command)
            case _:
                return await self._fate(ending)

    async def _fate(self, ending: Ending) -> Exit | Broken:
        """Find out what has become of a first process that has said nothing of an end."""
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                state = (await self.container.show())["State"]
        except engine_errors():
            text = "The Docker engine went away while the command was running."
            return Broken(text, ReasonCode.DOCKER_UNREACHABLE)
        if state.get("OOMKilled"):
            return Exit(ending, signal=signal.SIGKILL, out_of_memory=True)
        if state.get("Running"):
            text = "The Docker engine cut off the connection to the command's container."
        else:
            text = "The command's container was ended by somebody else than the worker."
        return Broken(text, ReasonCode.DOCKER_UNREACHABLE)


def _true(ending: Ending, *, asked: bool) -> Ending:
    """Take back a time limit that was reached only because the output was read late."""
    return Ending.ENDED if ending is Ending.TIMED_OUT and not asked else ending
