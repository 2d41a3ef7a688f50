"""A small HTTP server for one program at a time: HTTP/1.1 (RFC 9112) as far as a driver needs it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

_MOST_HEAD_BYTES: Final = 64 * 1024
_MOST_BODY_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Attributes:
        method: in capitals.
        path: without the query.
        query: its parameters by name; of several of one name, the last.
        headers: by name, in small letters.
        body: all of it.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """An answer.

    Attributes:
        status: its HTTP status.
        document: its body, as JSON.
        headers: beside those of every answer.
    """

    status: HTTPStatus
    document: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class _BadRequestError(Exception):
    """What came is no request."""


Handle = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def listening(handle: Handle) -> AsyncIterator[str]:
    """Listen on a free port of this host alone, and yield the address.

    Args:
        handle: answers requests, several at once.
    """
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            connections.add(task)
            task.add_done_callback(connections.discard)
        try:
            await _converse(handle, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_MOST_HEAD_BYTES)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for each in connections:
            each.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()


async def _converse(handle: Handle, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            request = await _read(reader, writer)
        except (_BadRequestError, ValueError, asyncio.LimitOverrunError) as error:
            problem = {"detail": f"This is no HTTP request: {error}"}
            await _write(writer, Response(HTTPStatus.BAD_REQUEST, problem), last=True)
            return
        if request is None:
            return
        last = request.headers.get("connection", "").lower() == "close"
        await _write(writer, await handle(request), last=last)
        if last:
            return


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise _BadRequestError(f"the header line {line!r}")
        headers[name.lower()] = value.strip()
    if "100-continue" in headers.get("expect", "").lower():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _body(reader, headers)
    parts = urlsplit(target)
    return Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        size = int(headers.get("content-length", "0"))
        if not 0 <= size <= _MOST_BODY_BYTES:
            raise _BadRequestError("its body is too large")
        return await reader.readexactly(size)
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16)
        if size < 0 or len(body) + size > _MOST_BODY_BYTES:
            raise _BadRequestError("its body is too large")
        body += await reader.readexactly(size)
        await reader.readuntil(b"\r\n")
        if size == 0:
            return body


async def _write(writer: asyncio.StreamWriter, response: Response, *, last: bool) -> None:
    body = json.dumps(response.document).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close" if last else "keep-alive",
        **response.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {response.status.value} {response.status.phrase}\r\n{lines}\r\n"
    writer.write(head.encode("latin-1") + body)
    await writer.drain()
