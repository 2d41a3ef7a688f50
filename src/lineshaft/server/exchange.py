"""What all requests and answers have in common: an id, a line in the log, headers that protect browsers."""

import logging
from collections.abc import MutableMapping
from enum import StrEnum
from time import perf_counter
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lineshaft.ports.ids import Ids
from lineshaft.server.access import ACTOR, REQUEST_ID

_LOG: Final = logging.getLogger("lineshaft.requests")

_READING: Final = frozenset({"GET", "HEAD"})
_FOR_WORKERS: Final = "/v1/worker/"
_FIRST_REFUSAL: Final = 400

_UNLESS_SAID: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""What browsers are told with every answer that does not say it in its own way."""

_BY_TLS: Final = ((b"strict-transport-security", b"max-age=31536000"),)
"""For a year, a browser calls this server by HTTPS alone (RFC 6797)."""


class Requests(StrEnum):
    """Which requests have a line in the log."""

    ALL = "all"
    CHANGES = "changes"
    """Those that may change something, except what workers call all the time, and all that are refused."""
    NONE = "none"


class Exchange:
    """Stands before everything else: each request and its answer pass through it.

    A request has an id, which the answer (`X-Request-Id`), the log and the audit log tell. Neither queries
    nor headers nor bodies are logged, for secrets may be in them.
    """

    def __init__(self, app: ASGIApp, *, ids: Ids, logged: Requests) -> None:
        """Stand before an app.

        Args:
            app: what serves the requests.
            ids: makes the ids of requests.
            logged: which requests have a line in the log.
        """
        self._app = app
        self._ids = ids
        self._logged = logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[REQUEST_ID] = request_id = self._ids.new_id().hex
        own = (b"x-request-id", request_id.encode())
        begun = perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(message, own, by_tls=scope["scheme"] == "https")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            if self._has_a_line(scope, status):
                _write(scope, request_id, status, perf_counter() - begun)

    def _has_a_line(self, scope: Scope, status: int) -> bool:
        match self._logged:
            case Requests.ALL:
                return True
            case Requests.NONE:
                return False
            case Requests.CHANGES:
                if status >= _FIRST_REFUSAL:
                    return True
                return scope["method"] not in _READING and not scope["path"].startswith(_FOR_WORKERS)


def _complete(start: MutableMapping[str, Any], request_id: tuple[bytes, bytes], *, by_tls: bool) -> None:
    """Add what an answer does not say itself."""
    headers = [*start.get("headers", ()), request_id]
    said = {name for name, _ in headers}
    headers += [header for header in _UNLESS_SAID if header[0] not in said]
    if by_tls:
        headers += _BY_TLS
    start["headers"] = headers


def _write(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    actor = scope.get(ACTOR)
    client = scope.get("client")
    _LOG.info(
        "%s %s %s %s %.1f ms, by %s from %s",
        request_id,
        scope["method"],
        # As it came: percent-encoded, so that nobody writes lines of the log.
        scope["raw_path"].decode("ascii", "backslashreplace"),
        status or "without an answer",
        seconds * 1_000,
        "nobody" if actor is None else actor.name or actor.means.value,
        "?" if client is None else client[0],
    )
