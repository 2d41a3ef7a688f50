"""A receiver of OpenTelemetry on loopback, for as long as one attempt lasts."""

import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from lineshaft.worker.otlp.text import lines_of_logs, lines_of_spans
from lineshaft.worker.otlp.turns import Turns

if TYPE_CHECKING:
    from aiohttp import web

BODY_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""The most that one request may hold, uncompressed."""

_LAST_WRITES_SECONDS: Final = 5.0
_JSON: Final = "application/json"


@asynccontextmanager
async def received_into(log: Turns) -> AsyncIterator[str]:
    """Take log records and spans by OTLP over HTTP, and write them into a log as they come.

    Only the JSON encoding is understood; another one is answered with 415, of which the log is told once.
    What was taken is written before it is answered. Nobody else on the machine can guess the address.

    Args:
        log: takes the lines.

    Yields:
        The URL before `/v1/logs` and `/v1/traces`.
    """
    from aiohttp import web

    receiver = _Receiver(log)
    application = web.Application(client_max_size=BODY_LIMIT_BYTES)
    secret = secrets.token_urlsafe(16)
    application.router.add_post(f"/{secret}/v1/logs", receiver.take_logs)
    application.router.add_post(f"/{secret}/v1/traces", receiver.take_spans)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_LAST_WRITES_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/{secret}"
    finally:
        await runner.cleanup()


class _Receiver:
    def __init__(self, log: Turns) -> None:
        self._log = log
        self._told = False

    async def take_logs(self, request: "web.Request") -> "web.Response":
        return await self._take(request, lines_of_logs)

    async def take_spans(self, request: "web.Request") -> "web.Response":
        return await self._take(request, lines_of_spans)

    async def _take(self, request: "web.Request", lines_of: Callable[[object], str]) -> "web.Response":
        from aiohttp import web

        if request.content_type != _JSON:
            await self._tell_encoding(request.content_type)
            return web.json_response({"message": "This receiver takes OTLP as application/json."}, status=415)
        try:
            document = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.json_response({"message": "The body is no JSON."}, status=400)
        await self._log.write_lines(lines_of(document))
        return web.json_response({})

    async def _tell_encoding(self, encoding: str) -> None:
        if not self._told:
            self._told = True
            await self._log.write_lines(
                f"Telemetry as {encoding} is not shown here, only OTLP as application/json is; "
                "a collector of your own takes both (LINESHAFT_OTLP_LOGS_ENDPOINT).\n"
            )
