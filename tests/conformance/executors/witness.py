"""What the executors' conformance tests see with."""

import asyncio
import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from lineshaft.ports.executor import ByteSink, Command, Executor, Exit, NotStarted

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
        return Command(("sh", "-c", script), self.folder, environment, timeout, grace, own)

    async def run(self, command: str | Command, output: ByteSink | None = None) -> Exit | NotStarted:
        """Run a command to its end."""
        if isinstance(command, str):
            command = self.command(command)
        return await self.executor.execute(command, output or self.output, self.stop)

    async def begin(self, command: str | Command) -> asyncio.Task[Exit | NotStarted]:
        """Have a command running that says `ready`, and return when it has said so."""
        running = asyncio.create_task(self.run(command))
        ready = asyncio.create_task(self.output.saw(b"ready"))
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        assert ready.done(), self.output.data
        return running
