"""What a worker makes of answers that are not those of the protocol; tests/conformance has those that are."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import (
    BadCredentialsError,
    ForbiddenError,
    LineshaftError,
    ServerError,
    ServerUnreachableError,
    StaleLeaseError,
    StoreUnavailableError,
    UnavailableError,
    UnsupportedProtocolError,
)
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_worker import HttpWorker
from lineshaft.wire.worker import ClaimRequest

CLAIM = ClaimRequest(worker_id=UUID(int=1), slots=1)
ADDRESS = AttemptAddress(UUID(int=2), 1, 1)


@asynccontextmanager
async def _answering(status: str, body: bytes, header: str = "Via: x") -> AsyncIterator[HttpWorker]:
    """Speak to a server that always gives one answer."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{header}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, HttpWorker(ClientConfig(f"http://127.0.0.1:{port}", "admin", "admin")) as worker:
        yield worker


def _problem(code: str, **members: object) -> bytes:
    document = {"type": f"urn:lineshaft:problem:{code}", "title": "T", "detail": "D.", "advice": "A."}
    return json.dumps({**document, **members}).encode()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("401 Unauthorized", b'{"detail":"Incorrect username or password"}', BadCredentialsError),
        ("403 Forbidden", _problem("forbidden"), ForbiddenError),
        ("409 Conflict", _problem("stale-lease"), StaleLeaseError),
        ("409 Conflict", _problem("log-offset", expected_offset="x"), LineshaftError),
        ("426 Upgrade Required", _problem("unsupported-protocol", served=[7]), UnsupportedProtocolError),
        ("503 Service Unavailable", _problem("store-unavailable"), StoreUnavailableError),
        ("503 Service Unavailable", _problem("unavailable"), UnavailableError),
        # What proxies answer in the server's place.
        ("502 Bad Gateway", b"<html>bad gateway</html>", UnavailableError),
        ("503 Service Unavailable", b"", UnavailableError),
        ("504 Gateway Timeout", b"\xff\xfe", UnavailableError),
        ("404 Not Found", b"<html>no such page</html>", ServerError),
        ("301 Moved Permanently", b"", ServerError),
        ("500 Internal Server Error", _problem("internal-error"), ServerError),
        ("200 OK", b"<html>hello</html>", ServerError),
        ("200 OK", b'{"leases": [{}]}', ServerError),
        ("200 OK", b"[" * 100_000, ServerError),
    ],
)
async def test_every_answer_is_an_error_that_says_whether_to_try_again(
    status: str, body: bytes, error: type[LineshaftError]
) -> None:
    async with _answering(status, body) as worker:
        with pytest.raises(error) as caught:
            await worker.claim(CLAIM)

    assert issubclass(caught.type, UnavailableError) == issubclass(error, UnavailableError)


@pytest.mark.parametrize(
    ("said", "wait"),
    [("7", timedelta(seconds=7)), ("0", timedelta()), ("Fri, 20 Nov 2026 10:00:00 GMT", None), ("-1", None)],
)
async def test_when_to_try_again_is_passed_on_where_it_is_a_number_of_seconds(
    said: str, wait: timedelta | None
) -> None:
    answer = _answering("503 Service Unavailable", _problem("unavailable"), f"Retry-After: {said}")
    async with answer as worker:
        with pytest.raises(UnavailableError) as caught:
            await worker.claim(CLAIM)

    assert caught.value.retry_after == wait


async def test_a_version_that_is_not_served_is_told_with_those_that_are() -> None:
    async with _answering("426 Upgrade Required", _problem("unsupported-protocol", served=[7, 8])) as worker:
        with pytest.raises(UnsupportedProtocolError) as caught:
            await worker.claim(CLAIM)

    assert caught.value.served == (7, 8)


async def test_a_server_that_does_not_listen_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with HttpWorker(ClientConfig(f"http://127.0.0.1:{port}", "admin", "admin")) as worker:
        with pytest.raises(ServerUnreachableError, match=f"127.0.0.1:{port} does not answer: [A-Z]"):
            await worker.append_log(ADDRESS, "token", 0, b"x")


async def test_a_connection_that_breaks_off_is_unreachable() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, HttpWorker(ClientConfig(f"http://127.0.0.1:{port}", "admin", "admin")) as worker:
        with pytest.raises(ServerUnreachableError):
            await worker.claim(CLAIM)
