"""Those who speak the worker protocol in tests: a user, or workers with keys; directly, or over HTTP."""

import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from lineshaft.model.worker_key import INSIDE, WorkerCaller
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_worker import HttpWorker
from lineshaft.sdk.nats.connection import NatsConnection
from lineshaft.sdk.nats.worker import NatsWorker
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.server.nats_desk import NatsDesk
from lineshaft.services.control_plane import ControlPlane
from nats_server import PATIENCE_SECONDS, NatsServer
from planes import PASSWORD, USERNAME


@dataclass(slots=True)
class Callers:
    """Speaks the protocol as different callers do.

    Attributes:
        plane: what they speak to.
        url: the server's address; None where they call directly.
        opened: closes them at the end.
    """

    plane: ControlPlane
    url: str | None
    opened: AsyncExitStack

    async def user(self) -> WorkerProtocol:
        """Speak with a user's credentials, or within the server."""
        if self.url is None:
            return self.plane.fleet.desk
        return await self._http(self.url, None)

    async def key(self, secret: str) -> WorkerProtocol:
        """Speak with a worker key."""
        if self.url is None:
            return self.plane.fleet.desk.of(await self.plane.fleet.worker_keys.caller(secret.encode()))
        return await self._http(self.url, secret)

    async def new_key(self, name: str, worker: str | None = None) -> WorkerProtocol:
        """Speak with a worker key that is made for it."""
        return await self.key((await self.plane.fleet.worker_keys.create(name, worker=worker))[1])

    async def _http(self, url: str, key: str | None) -> WorkerProtocol:
        return await self.opened.enter_async_context(HttpWorker(ClientConfig(url, USERNAME, PASSWORD), key))


class NatsCallers(Callers):
    """Speaks the protocol over NATS.

    There the subject says who calls; here that a user does, or which key somebody has.
    """

    def __init__(self, plane: ControlPlane, connection: NatsConnection, opened: AsyncExitStack) -> None:
        super().__init__(plane, None, opened)
        self.connection = connection
        self.secrets: list[str] = []

    async def user(self) -> WorkerProtocol:
        return NatsWorker(self.connection, "user")

    async def key(self, secret: str) -> WorkerProtocol:
        self.secrets.append(secret)
        return NatsWorker(self.connection, f"key-{len(self.secrets) - 1}")

    async def caller_of(self, word: str) -> WorkerCaller:
        """Tell who calls."""
        if word == "user":
            return INSIDE
        secret = self.secrets[int(word.removeprefix("key-"))]
        return await self.plane.fleet.worker_keys.caller(secret.encode())


async def nats_callers(plane: ControlPlane, server: NatsServer, opened: AsyncExitStack) -> Callers:
    """Speak the protocol over a NATS server."""
    log = logging.getLogger("lineshaft.nats")
    connection = NatsConnection(server.access("reader"), "test", log)
    callers = NatsCallers(plane, await opened.enter_async_context(connection.open()), opened)
    await connection.client(timedelta(seconds=PATIENCE_SECONDS))
    desk = NatsDesk(connection, plane.fleet.desk, caller_of=callers.caller_of)
    await opened.enter_async_context(desk.serving())
    return callers
