"""How what lasts long learns that the server is about to stop."""

import asyncio
from collections.abc import Callable
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STATE_KEY: Final = "stopping"
"""Where it is in the state that the app's lifespan gives to each request."""


class Stopping:
    """Told once, when the server stops; from then on nothing should wait any more.

    Uvicorn waits for open connections before it ends the app's lifespan, so that this cannot be told there.

    Attributes:
        begun: done as soon as the server stops.
    """

    def __init__(self, also: Callable[[], None]) -> None:
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._also = also

    def begin(self) -> None:
        """Tell; once is enough, more is no harm."""
        if not self.begun.done():
            self.begun.set_result(None)
            self._also()


class StoppingProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, which passes on that uvicorn begins to stop.

    Uvicorn calls `shutdown` on each open connection then; with none open, nothing lasts long.
    """

    def shutdown(self) -> None:
        """Tell the app, then do as uvicorn does."""
        stopping = self.app_state.get(STATE_KEY)
        if stopping is not None:
            stopping.begin()
        super().shutdown()
