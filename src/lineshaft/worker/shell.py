"""A shell where a task would run: in its image, with its source, its environment and its services."""

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, assert_never

from lineshaft.docker import DockerAccess
from lineshaft.executors.docker import DockerExecutor
from lineshaft.executors.label import label_prefix
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.eviction import MirrorEviction
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.thread import in_thread
from lineshaft.integrations.lfs import LargeFiles, ObjectStore
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.outcome import Outcome
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.executor import Command, Container, Exit, NotStarted
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.checkouts import Checkouts
from lineshaft.worker.failed import FailedWorkspace
from lineshaft.worker.files import NoFiles
from lineshaft.worker.place import Place, Places
from lineshaft.worker.plan import WorkerPlan
from lineshaft.worker.source import Source, Sources
from lineshaft.worker.ssh import SshAgents
from lineshaft.worker.workspace import Workspaces

_KEYS: Final = (signal.SIGINT, signal.SIGQUIT)
_OF_TERMINALS: Final = ("TERM", "COLORTERM", "LANG")


async def open_shell(
    plan: WorkerPlan,
    lease: LeaseMessage,
    argv: tuple[str, ...],
    environ: Mapping[str, str],
    *,
    kept: FailedWorkspace | None = None,
    fill: Callable[[Path], None] | None = None,
) -> int:
    """Have a shell on this process's terminal, until it ends.

    Args:
        plan: the worker that would run the task; its data folder is there, and of nobody else.
        lease: the task.
        argv: the shell and its arguments.
        environ: this process's environment.
        kept: a workspace to open as it is; None means one that is made for the shell.
        fill: places files in one that was made, before the shell begins.

    Returns:
        The shell's exit code.

    Raises:
        ConfigurationError: there can be none; the message is the reason that the task would have.
    """
    async with _Room.opened(plan, environ) as room:
        if (refusal := room.places.refusal(lease)) is not None:
            raise _impossible(refusal)
        assignment = _assignment(lease)
        made = room.sources.checked_out(assignment) if kept is None else nullcontext(_as_it_is(kept))
        async with made as source:
            if isinstance(source, Outcome):
                raise _impossible(source)
            container = await room.container(assignment, source)
            if fill is not None:
                await in_thread(partial(fill, source.folder))
            async with room.places.place(assignment, source, container) as place:
                if isinstance(place, Outcome):
                    raise _impossible(place)
                return await room.talk(_command(plan, argv, environ, place, room.places.label(lease)))


@dataclass(frozen=True, slots=True)
class _Room:
    """What a shell is opened with.

    Attributes:
        environ: this process's environment.
        access: where the Docker engine is.
        sources: checks out what it works on.
        places: puts around it what a task finds.
        containers: runs containers; asked for nothing where the shell is a process of this machine.
    """

    environ: Mapping[str, str]
    access: DockerAccess
    sources: Sources
    places: Places
    containers: DockerExecutor

    @classmethod
    @asynccontextmanager
    async def opened(cls, plan: WorkerPlan, environ: Mapping[str, str]) -> "AsyncIterator[_Room]":
        """Have one as long as it is needed, and clear it up."""
        executor, prefix = ProcessExecutor(), label_prefix(plan.data)
        checkouts = Checkouts(plan.data / "checkouts", 0)
        workspaces, folders = Workspaces(plan.data / "workspaces"), Workspaces(plan.data / "handovers")
        git = GitProgram(executor, plan.data, f"{prefix}git")
        mirrors = Mirrors(git, plan.data / "mirrors", plan.git_roots)
        large = LargeFiles(ObjectStore(plan.data / "lfs", 0))
        sources = Sources(workspaces, checkouts, mirrors, large)
        await MirrorEviction(plan.data / "mirrors", SystemClock()).go_round()
        agent = environ.get("SSH_AUTH_SOCK")
        places = Places(
            folders,
            SshAgents(executor, environ, Path(agent) if agent else None),
            environ,
            label_prefix=prefix,
            containers=plan.containers,
            ignore_images=plan.ignore_images,
        )
        access = plan.docker(environ)
        containers = DockerExecutor(access, plan.data)
        try:
            yield cls(environ, access, sources, places, containers)
        finally:
            await containers.close()
            await checkouts.close()
            await workspaces.close()
            await folders.close()

    async def container(self, assignment: Assignment, source: Source) -> Container | None:
        """Say what container the shell is in, with its images built; None where it is in none.

        Raises:
            ConfigurationError: one cannot be built.
        """
        container = self.places.container(assignment.lease, source)
        if container is None:
            return None
        built = await self.containers.build(container, assignment.log, assignment.stop)
        match built:
            case Container():
                return built
            case NotStarted(text=text):
                raise ConfigurationError(text)
            case Exit():
                raise ConfigurationError("The shell was stopped before its image was built.")
            case _:
                assert_never(built)

    async def talk(self, command: Command) -> int:
        """Have the shell on this process's terminal; answer its exit code."""
        if command.container is None:
            return await _talk_to(command.argv, command.cwd, command.env)
        return await self._talk_in_container(command)

    async def _talk_in_container(self, command: Command) -> int:
        """Have docker's own program do the talking: it knows terminals' raw mode and size, and exit codes."""
        program = shutil.which("docker", path=self.environ.get("PATH"))
        if program is None:
            raise ConfigurationError(
                "A shell in a container needs the program docker, by which it speaks to this terminal.",
                advice="Install Docker's command line (Debian has it in docker.io or docker-cli).",
            )
        async with self.containers.terminal(command, _ToTerminal()) as container:
            if isinstance(container, NotStarted):
                raise ConfigurationError(container.text)
            argv = (program, "--host", self.access.address, "start", "--attach", "--interactive", container)
            return await _talk_to(argv, Path.cwd(), self.environ)


def _command(
    plan: WorkerPlan, argv: tuple[str, ...], environ: Mapping[str, str], place: Place, label: str
) -> Command:
    shown = {name: environ[name] for name in _OF_TERMINALS if name in environ}
    return Command(
        argv=argv,
        cwd=Path(place.layout.cwd),
        env={**place.environment, **shown},
        timeout=None,
        grace=plan.grace,
        label=f"{label}/shell",
        container=place.container,
    )


async def _talk_to(argv: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> int:
    """Start a program on this process's own terminal, and wait for its end."""
    with _left_to_it():
        try:
            program = await asyncio.create_subprocess_exec(*argv, cwd=folder, env=dict(environment))
        except OSError as error:
            raise ConfigurationError(f"The shell {argv[0]!r} cannot be started: {error.strerror}.") from error
        code = await program.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _left_to_it() -> Iterator[None]:
    """Leave to the program on the terminal what its keys mean."""
    loop = asyncio.get_running_loop()
    for number in _KEYS:
        loop.add_signal_handler(number, lambda: None)
    try:
        yield
    finally:
        for number in _KEYS:
            loop.remove_signal_handler(number)


def _as_it_is(kept: FailedWorkspace) -> Source:
    # Objects that were fetched are thrown away when they are damaged; the files are there all the same.
    objects = tuple(each for each in kept.facts.objects if each.is_dir())
    return Source(kept.folder, kept.facts.commit, objects)


def _assignment(lease: LeaseMessage) -> Assignment:
    async def resolve_source(commit: str) -> str:
        return commit

    masking = Masking()
    log = MaskedLog(_ToTerminal(), masking)
    return Assignment(lease, log, asyncio.Event(), resolve_source, masking, NoFiles())


class _ToTerminal:
    """Shows what is told on the way."""

    async def write(self, data: bytes) -> None:
        sys.stderr.buffer.write(data)
        sys.stderr.flush()


def _impossible(outcome: Outcome) -> ConfigurationError:
    return ConfigurationError("" if outcome.reason is None else outcome.reason.text)
