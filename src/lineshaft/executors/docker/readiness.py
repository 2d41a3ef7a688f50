"""When a service can be used."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from lineshaft.docker.failure import engine_errors
from lineshaft.executors.docker.listening import TABLES, Listening, listening, tables_on_this_machine
from lineshaft.executors.docker.service_log import ServiceLog
from lineshaft.model.service import Readiness
from lineshaft.telemetry.cause import brief

if TYPE_CHECKING:
    from aiodocker.containers import DockerContainer

_LOOK_SECONDS: Final = 0.02
_FIRST_CALL_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 1.0
_GROWTH: Final = 1.5
_KEPT_BYTES: Final = 1 << 20
_SHOWN_CHARACTERS: Final = 200


class Check(Protocol):
    """One thing that must hold.

    Attributes:
        missing: what does not hold yet, as the end of a sentence.
    """

    missing: str

    async def hold(self) -> None:
        """Wait until it does."""
        ...


def checks(readiness: Readiness, container: "DockerContainer", log: ServiceLog) -> list[Check]:
    """Make the checks that a service asks for.

    Args:
        readiness: what it asks for.
        container: the service's, started.
        log: what it prints.
    """
    made: list[Check] = []
    if readiness.log is not None:
        made.append(LogCheck(log, readiness.log))
    if readiness.port is not None:
        made.append(PortCheck(container, readiness.port))
    if readiness.command is not None:
        made.append(CommandCheck(container, readiness.command))
    return made


class LogCheck:
    """A line of the log fits. The log is a stream, so that nothing asks again and again."""

    def __init__(self, log: ServiceLog, pattern: str) -> None:
        """Look into a log.

        Args:
            log: which looks for the line.
            pattern: what that is to fit, for the message.
        """
        self._log: Final = log
        self.missing = f'no line of its log fits "{pattern}"'

    async def hold(self) -> None:
        """Wait for the line."""
        await self._log.found.wait()


class PortCheck:
    """A port takes connections. The kernel has no signal for it, so that it is looked at in short pauses."""

    def __init__(
        self,
        container: "DockerContainer",
        port: int,
        tables: Callable[[int, str], list[str] | None] = tables_on_this_machine,
        program: str = "cat",
    ) -> None:
        """Look at a port.

        Args:
            container: started.
            port: its port.
            tables: reads the kernel's lists where the engine is on this machine.
            program: reads them in the container, elsewhere.
        """
        self._program: Final = program
        self._pid: int | None = None
        self._is_here = False
        self._tables_here: Final = tables
        self._container: Final = container
        self._port: Final = port
        self.missing = f"nothing listens on its port {port}"

    async def hold(self) -> None:
        """Wait until others than the container itself can connect."""
        pause = _FIRST_CALL_SECONDS
        while not await self.look():
            await asyncio.sleep(_LOOK_SECONDS if self._is_here else pause)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)

    async def look(self) -> bool:
        """Look once; answer whether others can connect."""
        if self._pid is None:
            self._pid = int((await self._container.show())["State"]["Pid"])
        tables = self._tables_here(self._pid, self._container.id)
        self._is_here = tables is not None
        if tables is None:
            tables = await self._tables_by_program()
        return tables is not None and self._is_open(tables)

    def _is_open(self, tables: Sequence[str]) -> bool:
        match listening(tables, self._port):
            case Listening.OTHERS:
                return True
            case Listening.ITSELF:
                self.missing = (
                    f"its port {self._port} is open on its own loopback only, where the task cannot reach it"
                )
            case Listening.NOBODY:
                self.missing = f"nothing listens on its port {self._port}"
        return False

    async def _tables_by_program(self) -> list[str] | None:
        exit_code, printed = await call(
            self._container, [self._program, *(f"/proc/net/{name}" for name in TABLES)], user="0"
        )
        # A kernel without IPv6 has no tcp6; cat fails then, but has printed the other.
        if "local_address" in printed:
            return [printed]
        self.missing = (
            f"its port {self._port} cannot be looked at, since the engine is not on the worker's machine and "
            f"`{self._program}` does not work in the image (exit code {exit_code}); let a command or the log "
            "tell instead"
        )
        return None


class CommandCheck:
    """A program in the container exits with 0. It is called with growing pauses."""

    def __init__(self, container: "DockerContainer", command: Sequence[str]) -> None:
        """Call a program.

        Args:
            container: started.
            command: the program and its arguments.
        """
        self._container: Final = container
        self._command: Final = list(command)
        self._shown: Final = brief(" ".join(command))[:_SHOWN_CHARACTERS]
        self.missing = f"its command `{self._shown}` has not ended yet"

    async def hold(self) -> None:
        """Call it until it succeeds."""
        pause = _FIRST_CALL_SECONDS
        while True:
            exit_code, printed = await call(self._container, self._command)
            if exit_code == 0:
                return
            said = f" ({words})" if (words := brief(printed)[-_SHOWN_CHARACTERS:]) else ""
            self.missing = f"its command `{self._shown}` ends with exit code {exit_code}{said}"
            await asyncio.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)


async def call(
    container: "DockerContainer", command: Sequence[str], *, user: str = ""
) -> tuple[int | None, str]:
    """Call a program in a container, and wait for its end.

    Args:
        container: running.
        command: the program and its arguments.
        user: as whom; without it as the container's own.

    Returns:
        Its exit code, None where the engine did not let it begin; and what it has printed, up to 1 MiB.
    """
    try:
        called = await container.exec(list(command), user=user)
        printed = bytearray()
        async with called.start() as stream:
            while (message := await stream.read_out()) is not None:
                printed += message.data[: _KEPT_BYTES - len(printed)]
        exit_code = (await called.inspect())["ExitCode"]
    except engine_errors() as error:
        return None, str(error)
    return exit_code, printed.decode(errors="replace")
