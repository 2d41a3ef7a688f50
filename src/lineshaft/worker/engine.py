"""The Docker engine of a worker whose tasks run in containers: there at its start, and watched since then."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from lineshaft.docker import DockerAccess
from lineshaft.docker.engine import connected
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.ports.executor import Broken, ByteSink, Command, Container, Executor, Exit, NotStarted

_LOG: Final = logging.getLogger("lineshaft.worker")
_LOOK_AGAIN: Final = timedelta(seconds=2)


async def why_away(access: DockerAccess) -> str | None:
    """Ask an engine whether it is there; say why it is not, or None where it is."""
    async with connected(access) as docker:
        return docker.text if isinstance(docker, Reason) else None


async def check_engine(access: DockerAccess) -> None:
    """See that an engine answers before any task needs it.

    Raises:
        ConfigurationError: it does not.
    """
    why = await why_away(access)
    if why is not None:
        raise ConfigurationError(
            f"Tasks cannot run in containers here. {why}",
            advice="Start the engine, name another address with --docker-host, or let this user use its "
            "socket; with --executor process tasks run as plain processes.",
        )


async def _sleep(time: timedelta) -> None:
    await asyncio.sleep(time.total_seconds())


class WatchedEngine:
    """An executor of containers that asks for its engine when it has gone away; see `Executor`."""

    def __init__(
        self,
        executor: Executor,
        why_away: Callable[[], Awaitable[str | None]],
        pause: Callable[[timedelta], Awaitable[None]] = _sleep,
    ) -> None:
        """Watch the engine of an executor, which is there now.

        Args:
            executor: runs commands.
            why_away: asks the engine.
            pause: waits before it is asked again.
        """
        self._executor = executor
        self._why_away = why_away
        self._pause = pause
        self._waiting: asyncio.Task[None] | None = None

    def is_there(self) -> bool:
        """Tell whether the engine is there, as far as one knows."""
        return self._waiting is None or self._waiting.done()

    async def execute(
        self, command: Command, output: ByteSink, stop: asyncio.Event
    ) -> Exit | NotStarted | Broken:
        """Run a command, and note when that shows the engine to be away; see `Executor.execute`."""
        result = await self._executor.execute(command, output, stop)
        self._note(result)
        return result

    async def build(
        self, container: Container, output: ByteSink, stop: asyncio.Event
    ) -> Container | NotStarted | Exit:
        """Build images, and note when that shows the engine to be away; see `Executor.build`."""
        result = await self._executor.build(container, output, stop)
        self._note(result)
        return result

    async def sweep(self, label_prefix: str) -> int:
        """Remove what a former worker has left; see `Executor.sweep`."""
        return await self._executor.sweep(label_prefix)

    async def close(self) -> None:
        """Ask no more."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)

    def _note(self, result: Container | Exit | NotStarted | Broken) -> None:
        if isinstance(result, Container | Exit) or result.code is not ReasonCode.DOCKER_UNREACHABLE:
            return
        if self.is_there():
            _LOG.warning("This worker takes no task until its engine answers. %s", result.text)
            self._waiting = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        while await self._why_away() is not None:
            await self._pause(_LOOK_AGAIN)
        _LOG.info("The engine answers again: this worker takes tasks.")
