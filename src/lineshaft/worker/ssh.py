"""An ssh agent for the tasks that ask for one: of their own, or the worker's.

The programs are OpenSSH's: ssh-agent(1), which answers nobody but its own user and root, and ssh-add(1),
which takes a key from its standard input. So a key goes through a pipe, from memory into memory.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.surroundings import SshAccess
from lineshaft.ports.executor import Command, Executor, NotStarted

_SOCKET: Final = "socket"
_LONGEST_ADDRESS_BYTES: Final = 107
"""Of a Unix socket on Linux (unix(7))."""

_ADDING_SECONDS: Final = 30.0
_GRACE: Final = timedelta(seconds=1)


class NoAgentError(Exception):
    """A task cannot have an ssh agent; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class SshAgents:
    """Starts agents, and lends the worker's own.

    Attributes:
        executor: runs them, so that nothing of them survives the worker.
        environment: the worker's, whose PATH is searched.
        lent: the socket of the worker's own agent, where tasks may use that; None where they may not.
    """

    executor: Executor
    environment: Mapping[str, str]
    lent: Path | None = None

    @asynccontextmanager
    async def agent(
        self, access: SshAccess, values: Mapping[str, str], folder: Path, label: str
    ) -> AsyncIterator[Path]:
        """Have the agent that a task asks for, as long as it lasts.

        Args:
            access: which.
            values: of secrets, by their names.
            folder: empty, and seen by nobody else; it takes the socket of an agent of the task's own.
            label: of that agent's process.

        Yields:
            The agent's socket.

        Raises:
            NoAgentError: there can be none.
        """
        if not access.keys:
            yield self._of_worker()
            return
        keys = {name: values.get(name, "") for name in access.keys}
        async with self._own(keys, folder, label) as socket:
            yield socket

    def _of_worker(self) -> Path:
        if self.lent is None:
            raise NoAgentError(
                "The task asks for its worker's ssh agent, which the worker does not lend. Start the worker "
                "with --ssh-agent where one runs, or name secrets in `ssh: {keys: [...]}`."
            )
        if not self.lent.is_socket():
            raise NoAgentError(
                f"The task asks for its worker's ssh agent, and there is none at {self.lent} any more. Start "
                "the worker anew where SSH_AUTH_SOCK names one."
            )
        return self.lent

    @asynccontextmanager
    async def _own(self, keys: Mapping[str, str], folder: Path, label: str) -> AsyncIterator[Path]:
        socket = folder / _SOCKET
        stop, output = asyncio.Event(), _FirstWords()
        command = Command(
            # Relative, since the address of a socket may be no longer than that of few folders.
            argv=("ssh-agent", "-D", "-a", _SOCKET),
            cwd=folder,
            env=self._environment(),
            timeout=None,
            grace=_GRACE,
            label=label,
            writable=(folder,),
        )
        running = asyncio.create_task(self.executor.execute(command, output, stop))
        try:
            await _ready(running, output)
            for name, key in keys.items():
                await self._add(name, key, folder)
            yield socket
        finally:
            stop.set()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            socket.unlink(missing_ok=True)

    async def _add(self, name: str, key: str, folder: Path) -> None:
        # It takes only lines that end as those of Unix do.
        text = "\n".join(key.strip().splitlines()) + "\n"
        try:
            adding = await asyncio.create_subprocess_exec(
                *("ssh-add", "-q", "-"),
                cwd=folder,
                env={**self._environment(), "SSH_AUTH_SOCK": _SOCKET},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                # Without a terminal it asks nobody for a passphrase.
                start_new_session=True,
            )
        except OSError as error:
            raise _no_program("ssh-add", error.strerror) from error
        try:
            async with asyncio.timeout(_ADDING_SECONDS):
                _, told = await adding.communicate(text.encode(errors="replace"))
        finally:
            if adding.returncode is None:
                adding.kill()
                await adding.wait()
        if adding.returncode != 0:
            words = told.decode(errors="replace").strip().splitlines()
            raise NoAgentError(
                f"The secret {name} is no private key that an ssh agent takes: it must be a whole one in "
                "OpenSSH's or PEM format, without a passphrase "
                f"({words[-1] if words else 'ssh-add says no more'})."
            )

    def _environment(self) -> dict[str, str]:
        return {"PATH": self.environment.get("PATH", os.defpath), "LC_ALL": "C"}


def why_too_long(socket: Path) -> str | None:
    """Say why a process cannot connect to a socket by its path; None where it can."""
    if len(os.fsencode(socket)) <= _LONGEST_ADDRESS_BYTES:
        return None
    return (
        f"The path of its ssh agent's socket has more than {_LONGEST_ADDRESS_BYTES} bytes, which no program "
        "can connect to: give the worker a data folder with a shorter path, by --data."
    )


def refused(error: NoAgentError) -> Outcome:
    """Say that a task cannot have the agent that it asks for."""
    return Outcome(State.FAILED, Reason(ReasonCode.SSH_REFUSED, str(error)))


class _FirstWords:
    """Hears an agent say where its socket is, which it does as soon as that takes connections."""

    def __init__(self) -> None:
        self.said: Final = asyncio.Event()

    async def write(self, _data: bytes) -> None:
        self.said.set()


async def _ready(running: "asyncio.Task[object]", output: _FirstWords) -> None:
    saying = asyncio.create_task(output.said.wait())
    try:
        await asyncio.wait({running, saying}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        saying.cancel()
    if output.said.is_set() and not running.done():
        return
    result = running.result()
    if isinstance(result, NotStarted):
        raise _no_program("ssh-agent", result.text)
    raise NoAgentError("The task's ssh agent ended before it could be used; the worker's log may tell more.")


def _no_program(program: str, why: str | None) -> NoAgentError:
    return NoAgentError(
        f"The worker cannot start {program} ({why}). Install OpenSSH's client there, which has it."
    )
