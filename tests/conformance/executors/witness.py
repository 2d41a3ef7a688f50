"""What the executors' conformance tests see with."""

import asyncio
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from lineshaft.executors.label import LABEL_VARIABLE
from lineshaft.ports.executor import Broken, ByteSink, Command, Container, Executor, Exit, NotStarted

LONG = timedelta(minutes=5)
BRIEF = timedelta(milliseconds=50)


class Recorder:
    """Keeps all that it is given, and wakes who waits for something in it."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self._news = asyncio.Event()

    @property
    def data(self) -> bytes:
        return b"".join(self.chunks)

    async def write(self, data: bytes) -> None:
        self.chunks.append(data)
        self._news.set()

    async def saw(self, what: bytes) -> None:
        while what not in self.data:
            self._news.clear()
            await self._news.wait()


class Lifeline:
    """A FIFO in a folder that tells whether any process has it open, wherever that process has gone."""

    def __init__(self, folder: Path) -> None:
        path = folder / "lifeline"
        os.mkfifo(path)
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.said = b""

    def held(self) -> bool:
        """Read what was written, and tell whether there is still somebody who could write more."""
        try:
            while data := os.read(self._file, 65536):
                self.said += data
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        os.close(self._file)


@dataclass
class Scene:
    """An executor, a folder to start commands in, and what they leave behind."""

    executor: Executor
    folder: Path
    lifeline: Lifeline
    output: Recorder = field(default_factory=Recorder)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    container: Container | None = None
    given: frozenset[str] = frozenset()
    """The variables that the executor itself may add to a command's environment."""

    def command(
        self,
        script: str,
        *,
        timeout: timedelta | None = LONG,
        grace: timedelta = LONG,
        label: str = "conformance/1",
    ) -> Command:
        """Make a command of a shell script, whose label no other run of the tests gives."""
        environment = {"PATH": os.environ["PATH"]}
        own = f"{os.getpid()}/{label}"
        argv = ("sh", "-c", script)
        return Command(argv, self.folder, environment, timeout, grace, own, container=self.container)

    async def run(self, command: str | Command, output: ByteSink | None = None) -> Exit | NotStarted | Broken:
        """Run a command to its end."""
        if isinstance(command, str):
            command = self.command(command)
        command = replace(command, container=self.container)
        return await self.executor.execute(command, output or self.output, self.stop)

    def worker_with(self, label: str, script: str) -> tuple[Sequence[str], dict[str, str]]:
        """Tell by which arguments and environment a program starts a script as a worker would, and stays."""
        # The shell stands for a worker: what it leaves goes to init or to whoever adopts.
        return ("sh", "-c", script), {"PATH": "/usr/bin:/bin", LABEL_VARIABLE: label}

    async def abandon(self, label: str, script: str) -> None:
        """Have a script running that says `ready`, and kill the worker that has started it."""
        argv, environment = self.worker_with(label, script)
        worker = await asyncio.create_subprocess_exec(
            *argv, cwd=self.folder, env=environment, stdout=subprocess.PIPE
        )
        assert worker.stdout is not None
        assert await worker.stdout.readline() == b"ready\n"
        if worker.returncode is None:
            worker.kill()
        await worker.wait()

    async def begin(self, command: str | Command) -> asyncio.Task[Exit | NotStarted | Broken]:
        """Have a command running that says `ready`, and return when it has said so."""
        running = asyncio.create_task(self.run(command))
        ready = asyncio.create_task(self.output.saw(b"ready"))
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        assert ready.done(), self.output.data
        return running
