"""A receiver of OpenTelemetry on loopback, for as long as one attempt lasts."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.worker.otlp.forwarding import JSON, forward, masked_body, masked_document
from lineshaft.worker.otlp.text import lines_of_logs, lines_of_spans

if TYPE_CHECKING:
    from aiohttp import ClientSession, web

Way = Callable[["web.Request"], Awaitable["web.Response"]]
"""What becomes of the requests of one signal."""

BODY_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""The most that one request may hold, uncompressed."""

_LAST_WRITES_SECONDS: Final = 5.0
_ENCODINGS: Final = ("", "identity", "gzip", "deflate")


@asynccontextmanager
async def received(
    log: MaskedLog, masking: Masking, *, traces: str | None = None, logs: str | None = None
) -> AsyncIterator[str]:
    """Take log records and spans by OTLP over HTTP, mask them, and pass them on as they come.

    A log understands only the JSON encoding; another one is answered with 415, of which the log is told once.
    What was taken is written, or the collector's, before it is answered. Nobody else on the machine can guess
    the address.

    Args:
        log: takes the lines of what no collector takes.
        masking: what is secret.
        traces: the collector's URL for spans; None has them written into the log.
        logs: the collector's URL for log records; None as for `traces`.

    Yields:
        The URL before `/v1/logs` and `/v1/traces`.
    """
    from aiohttp import ClientSession, DummyCookieJar, web

    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=True) as session:
        receiver = _Receiver(log, masking, session)
        application = web.Application(client_max_size=BODY_LIMIT_BYTES)
        secret = secrets.token_urlsafe(16)
        application.router.add_post(f"/{secret}/v1/logs", receiver.way_of(logs, lines_of_logs))
        application.router.add_post(f"/{secret}/v1/traces", receiver.way_of(traces, lines_of_spans))
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_LAST_WRITES_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}/{secret}"
        finally:
            await runner.cleanup()


class _Receiver:
    def __init__(self, log: MaskedLog, masking: Masking, session: "ClientSession") -> None:
        self._log = log
        self._masking = masking
        self._session = session
        self._told = False

    def way_of(self, url: str | None, lines_of: Callable[[object], str]) -> Way:
        """Make the handler of one signal: it goes to a collector, or into the log."""

        async def take(request: "web.Request") -> "web.Response":
            if url is None:
                return await self._write(request, lines_of)
            return await self._forward(request, url)

        return take

    async def _write(self, request: "web.Request", lines_of: Callable[[object], str]) -> "web.Response":
        from aiohttp import web

        if request.content_type != JSON:
            await self._tell_encoding(request.content_type)
            return web.json_response({"message": "This receiver takes OTLP as application/json."}, status=415)
        await self._masking.look()
        try:
            # Before anything of it is shortened.
            document = masked_document(json.loads(await request.read()), self._masking.masker)
        except (ValueError, RecursionError):
            return _no_json()
        await self._log.write_lines(lines_of(document))
        return web.json_response({})

    async def _forward(self, request: "web.Request", url: str) -> "web.Response":
        from aiohttp import web

        if request.headers.get("Content-Encoding", "").lower() not in _ENCODINGS:
            return web.json_response({"message": "This receiver takes gzip and deflate."}, status=415)
        body = await request.read()
        await self._masking.look()
        try:
            body = masked_body(body, request.content_type, self._masking.masker)
        except (ValueError, RecursionError):
            return _no_json()
        return await forward(request, body, url, self._session)

    async def _tell_encoding(self, encoding: str) -> None:
        if not self._told:
            self._told = True
            await self._log.write_lines(
                f"Telemetry as {encoding} is not shown here, only OTLP as application/json is; "
                "a collector of your own takes both (LINESHAFT_OTLP_LOGS_ENDPOINT).\n"
            )


def _no_json() -> "web.Response":
    from aiohttp import web

    return web.json_response({"message": "The body is no JSON."}, status=400)
