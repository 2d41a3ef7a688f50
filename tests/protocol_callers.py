"""Those who speak the worker protocol in tests: a user, or workers with keys; directly, or over HTTP."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_worker import HttpWorker
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
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
