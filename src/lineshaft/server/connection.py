"""Calls and streams that last long: they end with their connection, and when the server stops."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Final, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from lineshaft.model.errors import AccessError, NotFoundError, UnavailableError
from lineshaft.server.guarded_route import authorize_again
from lineshaft.server.stopping import STATE_KEY, Stopping

T = TypeVar("T")

_LOG: Final = logging.getLogger("lineshaft.server")


async def while_connected(request: Request, call: Coroutine[Any, Any, T]) -> T:
    """Await a call that may wait long, and give it up when its caller has gone.

    The request's body must have been read.

    Raises:
        ClientDisconnect: the caller has gone.
    """
    calling = asyncio.create_task(call)
    gone = asyncio.create_task(_disconnected(request.receive))
    try:
        await asyncio.wait({calling, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not calling.done():
            raise ClientDisconnect
        return calling.result()
    finally:
        await _end(calling, gone)


class EventStream(StreamingResponse):
    """Server-sent events (WHATWG HTML, section 9.2) that end with the connection and when the server stops.

    Cut off by a stop, a stream ends without its last event, and its reader resumes it elsewhere or later. So
    it ends when its reader may not read it any more. That is seen before each event, and heartbeats are
    events too.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        # Proxies such as nginx would hold events back otherwise.
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come."""
        stopping: Stopping | None = scope.get("state", {}).get(STATE_KEY)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        sending = asyncio.create_task(self._send(scope, send))
        gone = asyncio.create_task(_disconnected(receive))
        ends: set[asyncio.Future[None]] = {sending, gone}
        if stopping is not None:
            ends.add(stopping.begun)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            await _end(sending, gone)
            await self._events.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, scope: Scope, send: Send) -> None:
        try:
            async for event in self._events:
                await authorize_again(scope)
                await send({"type": "http.response.body", "body": event, "more_body": True})
        except UnavailableError as error:
            _LOG.warning("A stream is cut off: %s", error)
        except (AccessError, NotFoundError) as error:
            _LOG.info("A stream's reader may not read it any more: %s", error)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
