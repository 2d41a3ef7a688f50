"""Executors: how a worker runs a command, apart from the worker and from other commands."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Command:
    """A command to execute once.

    Attributes:
        argv: the program and its arguments; a program without a `/` is looked for on `env`'s PATH.
        cwd: where it starts; absolute, and there already.
        env: all of its environment; nothing is added but LINESHAFT_PROCESS_LABEL.
        timeout: how long it may take from its start; None means no limit.
        grace: how long it may go on after it was asked to end, before it is killed.
        label: names the attempt among all of this machine: what carries it is the attempt's, and is killed
            when the attempt ends. Printable ASCII without spaces; `executors.labels` makes good ones.
        writable: the folders that it has for itself, among those which an executor may hide from commands.
        readable: the folders that it may read, among those.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    timeout: timedelta | None
    grace: timedelta
    label: str
    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()


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
    """

    ending: Ending
    exit_code: int | None = None
    signal: int | None = None

    @property
    def shell_code(self) -> int | None:
        """The exit code as a shell tells it: 128 plus the number when a signal ended the command."""
        return self.exit_code if self.signal is None else 128 + self.signal


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A command could not be started at all; no part of it has run.

    Attributes:
        text: why, in one plain sentence.
    """

    text: str


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


class Executor(Protocol):
    """Runs commands.

    Call order: `sweep` once at the worker's start, before the first `execute`; then `execute` any number of
    times, also concurrently, each with a label of its own. Neither is idempotent: whoever calls `execute`
    twice runs the command twice.

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

    async def execute(self, command: Command, output: ByteSink, stop: asyncio.Event) -> Exit | NotStarted:
        """Run a command to its end.

        At the time limit, or when `stop` is set, the command is asked to end (SIGTERM to its process group),
        and what is alive of it after `Command.grace` is killed. A command whose `stop` is set before it
        begins does not begin.

        Args:
            command: what to run.
            output: takes what it writes.
            stop: when set, the command is to end.

        Returns:
            How it ended, or why it could not start.

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
