"""The scene of commands in containers, in which this machine's own programs run."""

import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from conformance.executors.witness import Lifeline, Scene
from integration.docker_engine import HOST_PROGRAMS, Engine
from lineshaft.docker import DockerAccess
from lineshaft.executors.docker import DockerExecutor
from lineshaft.executors.docker.settings import MOST_PROCESSES
from lineshaft.ports.executor import Container, Mount

# A worker in a process of its own, which runs one command and prints what that writes.
_WORKER = """
import asyncio, pathlib, sys
from conformance.executors.containers import container_in, executor_for
from datetime import timedelta
from lineshaft.ports.executor import Command

class Sink:
    async def write(self, data): print(data.decode(), end="", flush=True)

address, image, label, script = sys.argv[1:]
folder = pathlib.Path.cwd()
command = Command(
    ("sh", "-c", script), folder, {"PATH": "/usr/bin:/bin"}, None, timedelta(), label,
    container=container_in(folder, image),
)
asyncio.run(executor_for(address, folder).execute(command, Sink(), asyncio.Event()))
"""


@dataclass
class ContainersScene(Scene):
    """A scene whose commands run in containers of an engine."""

    address: str = ""
    image: str = ""

    def worker_with(self, label: str, script: str) -> tuple[Sequence[str], dict[str, str]]:
        argv = (sys.executable, "-c", _WORKER, self.address, self.image, label, script)
        return argv, {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def container_in(folder: Path, image: str) -> Container:
    """Make a container that shows a folder where this machine has it, and this machine's programs."""
    mounts = (*HOST_PROGRAMS, Mount(folder, PurePosixPath(folder), writable=True))
    return Container(image, folder, mounts=mounts)


def executor_for(
    address: str, folder: Path, *, user: str | None = None, most_processes: int = MOST_PROCESSES
) -> DockerExecutor:
    """Make an executor whose own files lie in a folder."""
    access = DockerAccess(address, folder / "no-docker-configuration")
    return DockerExecutor(access, folder / "first", user=user, most_processes=most_processes)


@asynccontextmanager
async def containers_scene(engine: Engine, folder: Path, lifeline: Lifeline) -> AsyncIterator[Scene]:
    """Have a scene on an engine, and leave nothing of it there."""
    executor = executor_for(engine.address, folder)
    scene = ContainersScene(
        executor,
        folder,
        lifeline,
        container=container_in(folder, engine.host_image),
        given=frozenset({"HOME", "HOSTNAME", "TERM", "container"}),
        address=engine.address,
        image=engine.host_image,
    )
    try:
        yield scene
    finally:
        await executor.close()
