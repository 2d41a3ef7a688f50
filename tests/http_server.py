"""A real HTTP server in the test's own loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from lineshaft.server.app import create_app
from lineshaft.server.openapi import describe
from lineshaft.server.serve import Server, uvicorn_config
from lineshaft.services.control_plane import ControlPlane


class _StartedServer(Server):
    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(uvicorn_config(create_app(lambda: nullcontext(plane))))
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


def described_api() -> dict[str, Any]:
    """Describe the API of a server that is never started."""

    def open_control_plane() -> AbstractAsyncContextManager[ControlPlane]:
        raise NotImplementedError

    return describe(create_app(open_control_plane))


def loopback_listener() -> socket.socket:
    """Listen on a free port of the loopback interface, for a server whose address must be known before it."""
    listener = socket.create_server(("127.0.0.1", 0))
    # What it accepts inherits it. Otherwise the body of asyncio's answers waits for 40 ms until the client
    # has acknowledged their head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@asynccontextmanager
async def http_server(plane: ControlPlane, on: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve a control plane on a free port of the loopback interface; yields the server's address."""
    with on or loopback_listener() as listener:
        server = _StartedServer(plane)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await server.is_up.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
