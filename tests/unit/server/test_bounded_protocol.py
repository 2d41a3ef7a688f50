"""Connections that are kept for nothing are closed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from lineshaft.server.bounded_protocol import (
    BODY_TIME,
    HEAD_LIMIT_BYTES,
    HEAD_TIME,
    SLOWEST_BYTES_A_SECOND,
    UNREAD_TIME,
    BoundedProtocol,
)
from lineshaft.server.serve import uvicorn_config

MOMENT = timedelta(milliseconds=1)
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


class Timer:
    def __init__(self, at: float, call: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self.at, self.call, self.arguments = at, call, arguments
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualLoop:
    """Timers that fire when the test says that time has passed; tasks run in the real loop."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[..., object], *arguments: object) -> Timer:
        timer = Timer(self.now + delay, call, arguments)
        self.timers.append(timer)
        return timer

    def create_task(self, work: Any) -> "asyncio.Task[Any]":
        return asyncio.get_running_loop().create_task(work)

    def pass_by(self, time: timedelta) -> None:
        end = self.now + time.total_seconds()
        while due := [timer for timer in self.timers if not timer.cancelled and timer.at <= end]:
            timer = min(due, key=lambda timer: timer.at)
            self.timers.remove(timer)
            self.now = max(self.now, timer.at)
            timer.call(*timer.arguments)
        self.now = end


class Wire(asyncio.Transport):
    """What the server writes, and whether it has hung up."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 4711), "sockname": ("192.0.2.2", 80)})
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Read on all the same."""

    def resume_reading(self) -> None:
        """Read on."""


class Line:
    """One connection to an app that reads all bodies and answers `ok`."""

    def __init__(self) -> None:
        self.loop, self.wire = ManualLoop(), Wire()
        self.bodies: list[bytes] = []
        config = uvicorn_config(cast("Any", self.app), interface="asgi3")
        config.load()
        self.protocol = BoundedProtocol(config, ServerState(), {}, cast("Any", self.loop))
        self.protocol.connection_made(self.wire)

    async def app(self, _: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def say(self, data: bytes) -> None:
        self.protocol.data_received(data)
        await self.settle()

    async def settle(self) -> None:
        while tasks := set(self.protocol.tasks):
            done, _ = await asyncio.wait(tasks, timeout=0.01)
            if not done:
                return


@asynccontextmanager
async def connected() -> AsyncIterator[Line]:
    line = Line()
    try:
        yield line
    finally:
        line.protocol.connection_lost(None)
        await line.settle()


async def test_who_says_nothing_is_hung_up_on() -> None:
    async with connected() as line:
        line.loop.pass_by(HEAD_TIME - MOMENT)
        assert not line.wire.closed

        line.loop.pass_by(MOMENT)

        assert line.wire.closed


async def test_who_says_a_head_byte_by_byte_is_hung_up_on() -> None:
    async with connected() as line:
        for byte in GET[:10]:
            await line.say(bytes([byte]))
            line.loop.pass_by(HEAD_TIME / 10)

        assert line.wire.closed


async def test_who_asks_in_time_is_answered_and_may_stay() -> None:
    async with connected() as line:
        await line.say(GET)
        assert line.wire.written.endswith(b"ok")

        line.loop.pass_by(HEAD_TIME + MOMENT)

        assert not line.wire.closed


async def test_who_begins_a_second_request_has_as_long_for_its_head() -> None:
    async with connected() as line:
        await line.say(GET)
        await line.say(GET[:5])
        line.loop.pass_by(HEAD_TIME - MOMENT)
        assert not line.wire.closed

        line.loop.pass_by(MOMENT)

        assert line.wire.closed


async def test_who_sends_empty_lines_between_requests_is_hung_up_on() -> None:
    async with connected() as line:
        await line.say(GET)
        await line.say(b"\r\n")

        line.loop.pass_by(HEAD_TIME)

        assert line.wire.closed


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * HEAD_LIMIT_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: " + b"x" * HEAD_LIMIT_BYTES + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * HEAD_LIMIT_BYTES + b"\r\n",
    ],
    ids=["address", "header", "headers"],
)
@pytest.mark.parametrize("piece_bytes", [1 << 20, 1 << 14])
async def test_a_head_that_is_too_large_is_refused_and_nothing_is_done(head: bytes, piece_bytes: int) -> None:
    async with connected() as line:
        for start in range(0, len(head), piece_bytes):
            await line.say(head[start : start + piece_bytes])

        status, _, body = bytes(line.wire.written).partition(b"\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 431 ")
        assert f"content-length: {len(body)}".encode() in status
        assert json.loads(body)["status"] == 431
        assert line.wire.closed
        assert line.bodies == []


async def test_a_body_that_hardly_comes_is_given_up() -> None:
    async with connected() as line:
        await line.say(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n")
        for _ in range(59):
            line.loop.pass_by(BODY_TIME / 60)
            await line.say(b"x")
        assert not line.wire.closed

        line.loop.pass_by(BODY_TIME / 30)

        assert line.wire.closed


async def test_a_large_body_may_take_the_longer() -> None:
    piece = b"x" * SLOWEST_BYTES_A_SECOND
    pieces = round(3 * BODY_TIME.total_seconds())
    async with connected() as line:
        await line.say(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (len(piece) * pieces))
        for _ in range(pieces):
            line.loop.pass_by(timedelta(seconds=1))
            await line.say(piece)

        assert not line.wire.closed
        assert line.bodies == [piece * pieces]


async def test_who_reads_nothing_of_an_answer_is_hung_up_on() -> None:
    async with connected() as line:
        await line.say(GET)
        line.protocol.pause_writing()
        line.loop.pass_by(UNREAD_TIME - MOMENT)
        assert not line.wire.closed

        line.loop.pass_by(MOMENT)

        assert line.wire.closed


async def test_who_reads_slowly_is_not() -> None:
    async with connected() as line:
        await line.say(GET)
        for _ in range(2):
            line.protocol.pause_writing()
            line.loop.pass_by(UNREAD_TIME * 0.6)
            line.protocol.resume_writing()

        assert not line.wire.closed


@pytest.mark.parametrize("at_once", [1, 2, 100])
@pytest.mark.parametrize("sizes", [[200_000], [9, 70_000, 5, 5], [65_536, 80_000, 1], [65_535, 1, 65_536]])
async def test_a_body_is_read_as_it_was_sent_whatever_its_pieces_are(sizes: list[int], at_once: int) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes * 3)]
    said = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]
    async with connected() as line:
        await line.say(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for start in range(0, len(said), at_once):
            await line.say(b"".join(said[start : start + at_once]))

        assert line.bodies == [b"".join(pieces)]
