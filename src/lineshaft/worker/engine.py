"""The Docker engine of a worker whose tasks run in containers: there at its start, and watched since then."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from lineshaft.docker import DockerAccess
from lineshaft.docker.engine import connected
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.ports.clock import Clock, SystemClock
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


class EngineNews(Protocol):
    """Hears what becomes of an engine. Each is told once a time that it goes away; none may block."""

    def away(self, why: str) -> None:
        """Hear that it does not answer any more, and why, in a sentence."""
        ...

    def back(self) -> None:
        """Hear that it answers again."""
        ...

    def given_up(self) -> None:
        """Hear that nobody waits for it any more."""
        ...


class LoggedNews:
    """Tells the readers of a worker's log."""

    def away(self, why: str) -> None:
        """Warn of it."""
        _LOG.warning("This worker takes no task until its engine answers. %s", why)

    def back(self) -> None:
        """Say so."""
        _LOG.info("The engine answers again: this worker takes tasks.")

    def given_up(self) -> None:
        """Warn of what follows."""
        _LOG.warning("The engine has not come back: this worker takes tasks, which will be lost.")


@dataclass(frozen=True, slots=True)
class EngineWatch:
    """How a worker watches its engine.

    Attributes:
        news: hears what becomes of it.
        patience: for how long the worker takes nothing once it is away. Then it takes tasks all the same,
            which end `lost` at once unless it is back by then: for one that is the only worker there is. None
            means for as long as it is away.
    """

    news: EngineNews = field(default_factory=LoggedNews)
    patience: timedelta | None = None


async def _sleep(time: timedelta) -> None:
    await asyncio.sleep(time.total_seconds())


class WatchedEngine:
    """An executor of containers that asks for its engine when it has gone away; see `Executor`."""

    def __init__(
        self,
        executor: Executor,
        why_away: Callable[[], Awaitable[str | None]],
        watch: EngineWatch | None = None,
        *,
        pause: Callable[[timedelta], Awaitable[None]] = _sleep,
        clock: Clock | None = None,
    ) -> None:
        """Watch the engine of an executor, which is there now.

        Args:
            executor: runs commands.
            why_away: asks the engine.
            watch: how; None means for as long as it takes, and told in the log.
            pause: waits before it is asked again.
            clock: tells for how long it has been away; None means the machine's.
        """
        self._executor = executor
        self._why_away = why_away
        self._watch = watch or EngineWatch()
        self._pause = pause
        self._clock = clock or SystemClock()
        self._given_up = False
        self._waiting: asyncio.Task[None] | None = None

    def is_there(self) -> bool:
        """Tell whether the engine is there, as far as one knows, or is not waited for any more."""
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
        if isinstance(result, Exit) and result.shell_code is not None:
            # Only a command that has ended has surely had an engine.
            self._given_up = False
        if isinstance(result, Container | Exit) or result.code is not ReasonCode.DOCKER_UNREACHABLE:
            return
        if self.is_there() and not self._given_up:
            self._watch.news.away(result.text)
            self._waiting = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        begun, patience = self._clock.now(), self._watch.patience
        while await self._why_away() is not None:
            if patience is not None and self._clock.now() - begun >= patience:
                self._given_up = True
                self._watch.news.given_up()
                return
            await self._pause(_LOOK_AGAIN)
        self._watch.news.back()
