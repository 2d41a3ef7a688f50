"""Executors: how a worker runs a command, apart from the worker and from other commands."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Protocol

from lineshaft.model.image import Image, ImageBuild, PullPolicy
from lineshaft.model.reason import ReasonCode
from lineshaft.model.service import Service


class ByteSink(Protocol):
    """Takes what a command writes."""

    async def write(self, data: bytes) -> None:
        """Take the next bytes, 1 to 1,048,576 of them.

        Called by one caller at a time, in the order of the output. It may wait: the command is not read from
        in the meantime, so it blocks when its pipe is full, and memory stays flat.

        Raises:
            Exception: anything; the command is then killed at once, and `Executor.execute` raises the same.
        """
        ...


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or socket of this machine that a container shows.

    Attributes:
        source: where it is on this machine; absolute.
        target: where the container shows it; absolute.
        writable: whether the command may change it.
    """

    source: Path
    target: PurePosixPath
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """With what a registry is asked.

    Attributes:
        username: the user's name there.
        password: the password or token.
    """

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that was built from a workspace.

    Attributes:
        build: what it was built by.
        id: under which the executor knows it.
    """

    build: ImageBuild
    id: str


@dataclass(frozen=True, slots=True)
class Container:
    """The container that a command is to run in, for executors that have them; all others pass it over.

    Attributes:
        image: what it is made of.
        pull: when images are fetched.
        source: the workspace on this machine, from which images are built.
        mounts: what of this machine it shows, and nothing else of it.
        read_only: whether the command may write nowhere but in its writable mounts and in /tmp.
        cpus: how many processors it has at most; 0 where it may have all.
        memory_bytes: how much memory it has at most, with what it writes to /tmp; 0 where it may have all.
        services: containers beside it by the names under which it reaches them.
        service_logs: what takes the output of each service, by its name; that of others is dropped.
        service_env: the environment of each service that is not in its definition, by its name: secrets.
        registries: with what registries are asked, by their hosts.
        marks: what the container, its network and its services carry as labels, for people and for `sweep`.
        built: the images that `Executor.build` has built for it; others are built when they are needed.
    """

    image: Image
    source: Path
    pull: PullPolicy = PullPolicy.MISSING
    mounts: tuple[Mount, ...] = ()
    read_only: bool = False
    cpus: float = 0
    memory_bytes: int = 0
    services: Mapping[str, Service] = field(default_factory=dict)
    service_logs: Mapping[str, ByteSink] = field(default_factory=dict, repr=False, compare=False)
    service_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    registries: Mapping[str, Login] = field(default_factory=dict, repr=False)
    marks: Mapping[str, str] = field(default_factory=dict)
    built: tuple[BuiltImage, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command to execute once.

    Attributes:
        argv: the program and its arguments; a program without a `/` is looked for on `env`'s PATH, or on the
            image's where `env` has none.
        cwd: where it starts; absolute, and there already; in a container as that shows it.
        env: all of its environment; nothing is added but LINESHAFT_PROCESS_LABEL, and in a container what its
            image and its engine say, such as HOME and HOSTNAME; Podman's engine says TERM and container, too.
        timeout: how long it may take from its start; None means no limit.
        grace: how long it may go on after it was asked to end, before it is killed.
        label: names the attempt among all of this machine: what carries it is the attempt's, and is killed
            when the attempt ends. Printable ASCII without spaces; `executors.labels` makes good ones.
        writable: the folders that it has for itself, among those which an executor may hide from commands.
        readable: the folders that it may read, among those.
        container: what it is to run in, where the executor runs containers; None is refused by those.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    timeout: timedelta | None
    grace: timedelta
    label: str
    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    container: Container | None = None


class Ending(StrEnum):
    """Who ended a command."""

    ENDED = "ended"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Exit:
    """How a command ended.

    Attributes:
        ending: `ended` by itself, or because it `timed_out` or was `stopped`; a command that ended by itself
            while it was being stopped has been stopped.
        exit_code: what it exited with; None when a signal ended it, or when it was stopped before it began.
        signal: the number of the signal that ended it; None when it exited.
        out_of_memory: whether the system killed it, or some of it, because its memory had run out.
    """

    ending: Ending
    exit_code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False

    @property
    def shell_code(self) -> int | None:
        """The exit code as a shell tells it: 128 plus the number when a signal ended the command."""
        return self.exit_code if self.signal is None else 128 + self.signal


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A command could not be started at all; no part of it has run.

    Attributes:
        text: why, in one plain sentence.
        code: what it is.
        ours: whether it is our failure, such as an engine that is away or a full disk, and not what the task
            asked for: then another try, perhaps elsewhere, may succeed.
    """

    text: str
    code: ReasonCode = ReasonCode.COMMAND_NOT_STARTED
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """A command was begun, and what it ran in has gone: nobody can tell how it would have ended.

    It is always our failure, and never that of the command: another try may succeed. What is left of the
    command is removed as soon as that can be done; an executor without an engine between never answers so.

    Attributes:
        text: what has happened, in one plain sentence.
        code: what it is.
    """

    text: str
    code: ReasonCode


class Executor(Protocol):
    """Runs commands.

    Call order: `sweep` once at the worker's start, before anything else; then `build` and `execute` any
    number of times, also concurrently, each `execute` with a label of its own. `build` is idempotent;
    `execute` is not: whoever calls it twice runs the command twice.

    What every executor promises (tests/conformance checks it for each):

    - The command sees `Command.env` and LINESHAFT_PROCESS_LABEL, an empty standard input, `Command.cwd`, and
      nothing of the worker's open files or terminal.
    - Standard output and standard error arrive in one stream, in the order of the writes, byte for byte, in
      large chunks as soon as they come.
    - When `execute` returns or raises, cancellation included, nothing that the command started is alive on
      this
      machine: not a child that ignores SIGTERM, not one that has left its process group or session, not one
          that it
      left running in the background, not one that was forked meanwhile.
    - A background process that keeps the output open does not keep `execute` from returning once the command
      itself has ended; what had been written by then has arrived.
    - Memory does not grow with the output, and nothing on the way of output or end waits by a timer.
    """

    async def build(
        self, container: Container, output: ByteSink, stop: asyncio.Event
    ) -> Container | NotStarted | Exit:
        """Build the images of a container, and of the services beside it, that are made from its workspace.

        So they are made of the workspace as it is now, whatever is put there before the command begins.

        Args:
            container: what they are for.
            output: takes what is told of the builds.
            stop: when set, they are given up.

        Returns:
            The container, with what was built; or why one could not be built, or that it was stopped.

        Raises:
            Exception: what `output.write` has raised.
        """
        ...

    async def execute(
        self, command: Command, output: ByteSink, stop: asyncio.Event
    ) -> Exit | NotStarted | Broken:
        """Run a command to its end.

        At the time limit, or when `stop` is set, the command is asked to end (SIGTERM to its process group),
        and what is alive of it after `Command.grace` is killed. A command whose `stop` is set before it
        begins does not begin.

        Args:
            command: what to run.
            output: takes what it writes.
            stop: when set, the command is to end.

        Returns:
            How it ended, or why it could not start, or that it has been lost.

        Raises:
            Exception: what `output.write` has raised.
            asyncio.CancelledError: the caller was cancelled; the command has been killed without grace.
        """
        ...

    async def sweep(self, label_prefix: str) -> int:
        """Kill what a worker that was itself killed has left: all whose label begins with the prefix.

        Idempotent. Not to be called while commands with such labels are being executed.

        Returns:
            How many were found alive.
        """
        ...
