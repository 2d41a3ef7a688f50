"""The connection to the engine that an executor keeps from command to command."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.endpoint import Endpoint, endpoint_of
from lineshaft.docker.engine import connected
from lineshaft.docker.failure import engine_errors, engine_lost, ours
from lineshaft.executors.docker.platform import Platform, platform_of
from lineshaft.model.reason import Reason
from lineshaft.ports.executor import NotStarted
from lineshaft.telemetry.cause import cause_of

if TYPE_CHECKING:
    from aiodocker import Docker

_LOG: Final = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Engine:
    """An engine that has answered.

    Attributes:
        docker: the connection for requests.
        endpoint: where connections of other kinds are opened.
        api_version: of its API, such as `v1.41`.
        platform: what it is like.
        away: whether it was found away since.
    """

    docker: "Docker"
    endpoint: Endpoint
    api_version: str
    platform: Platform
    away: bool = False


@dataclass(eq=False, slots=True)
class _Line:
    engine: Engine
    stack: AsyncExitStack
    users: int = 0


class KeptEngine:
    """Connects when somebody first wants the engine, and again after it was found away."""

    def __init__(self, access: DockerAccess, greet: Callable[["Docker"], Awaitable[None]]) -> None:
        """Connect to nothing yet.

        Args:
            access: where the engine is.
            greet: is called with each new connection before anybody else has it.
        """
        self._access: Final = access
        self._greet: Final = greet
        self._opening: Final = asyncio.Lock()
        self._line: _Line | None = None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Engine | NotStarted]:
        """Lend the engine, or tell why it cannot be had."""
        async with self._opening:
            if self._line is None or self._line.engine.away:
                opened = await self._open()
                if not isinstance(opened, NotStarted):
                    await self._replace(opened)
            else:
                opened = self._line
            if not isinstance(opened, NotStarted):
                opened.users += 1
        if isinstance(opened, NotStarted):
            yield opened
            return
        try:
            yield opened.engine
        finally:
            opened.users -= 1
            if opened.users == 0 and opened is not self._line:
                await opened.stack.aclose()

    async def close(self) -> None:
        """Close the connection, once nobody uses it any more."""
        async with self._opening:
            await self._replace(None)

    async def _replace(self, line: _Line | None) -> None:
        former, self._line = self._line, line
        if former is not None and former.users == 0:
            await former.stack.aclose()

    async def _open(self) -> _Line | NotStarted:
        endpoint = endpoint_of(self._access)
        if isinstance(endpoint, Reason):
            return ours(endpoint)
        async with AsyncExitStack() as stack:
            docker = await stack.enter_async_context(connected(self._access))
            if isinstance(docker, Reason):
                return ours(docker)
            try:
                platform = await platform_of(docker)
                await self._greet(docker)
            except engine_errors() as error:
                return engine_lost(self._access.address, cause_of(error))
            version = docker.api_version
            _LOG.debug("The engine at %s is %s.", self._access.address, platform)
            return _Line(Engine(docker, endpoint, version, platform), stack.pop_all())
