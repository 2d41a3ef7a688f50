"""Requests whose redirects and long answers are the caller's matter, over real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from integration.certificates import Certified
from lineshaft.integrations.outgoing import AddressRefusedError, Guard, OutgoingError
from lineshaft.integrations.outgoing.transfer import Transfer, origin_of, transfer

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Site:
    """Gives its answers one after the other, and keeps the heads of requests."""

    answers: list[bytes]
    heads: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
            writer.write(self.answers.pop(0).replace(b"PORT", str(self.port).encode()))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/a"


@asynccontextmanager
async def site(*answers: bytes) -> AsyncIterator[Site]:
    made = Site(list(answers))
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as listening:
        made.port = listening.sockets[0].getsockname()[1]
        yield made


@pytest.fixture
async def requests() -> AsyncIterator[Transfer]:
    async with transfer(Guard(allow_private=True)) as opened:
        yield opened


class Taken:
    """Takes what comes."""

    def __init__(self) -> None:
        self.data = b""

    async def __call__(self, part: bytes) -> None:
        self.data += part


def redirect(location: str, status: str = "302 Found") -> bytes:
    return f"HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_content_is_handed_on_as_it_comes(requests: Transfer) -> None:
    taken = Taken()
    async with site(HELLO) as there:
        answer = await requests.get(there.url, {"X-Ticket": "7"}, taken)
    assert (answer.status, answer.body, taken.data) == (200, b"", b"hello")
    assert "x-ticket: 7" in there.heads[0]
    assert "accept-encoding: identity" in there.heads[0]


async def test_what_comes_with_another_status_is_no_content(requests: Transfer) -> None:
    taken = Taken()
    async with site(HELLO.replace(b"200 OK", b"404 Not Found")) as there:
        answer = await requests.get(there.url, {}, taken)
    assert (answer.status, answer.body, taken.data) == (404, b"hello", b"")


async def test_a_stranger_says_nothing_of_host_and_connection(requests: Transfer) -> None:
    hostile = {"Host": "inner", "Content-Length": "7", "transfer-encoding": "chunked", "Connection": "x"}
    async with site(HELLO) as there:
        await requests.get(there.url, hostile, Taken())
    assert f"host: 127.0.0.1:{there.port}" in there.heads[0]
    assert "inner" not in there.heads[0]
    assert "content-length" not in there.heads[0]
    assert "chunked" not in there.heads[0]


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-C: d"}, {"X A": "b"}, {"": "b"}, {"X-A": "é\u2028"}])
async def test_headers_that_are_none_are_an_error(requests: Transfer, headers: dict[str, str]) -> None:
    async with site(HELLO) as there:
        with pytest.raises(OutgoingError):
            await requests.get(there.url, headers, Taken())
    assert there.heads == []


async def test_a_redirect_on_one_host_keeps_the_headers(requests: Transfer) -> None:
    async with site(redirect("/b"), HELLO) as there:
        await requests.get(there.url, {"X-Ticket": "7"}, Taken())
    assert [("x-ticket" in head) for head in there.heads] == [True, True]


async def test_a_redirect_to_another_port_loses_them_for_good(requests: Transfer) -> None:
    async with site(HELLO) as last, site(redirect(last.url)) as first:
        await requests.get(first.url, {"X-Ticket": "7"}, Taken())
    assert "x-ticket" not in last.heads[0]


async def test_redirects_are_followed_only_so_long(requests: Transfer) -> None:
    async with site(*[redirect("/again")] * 9) as there:
        with pytest.raises(OutgoingError, match="more than 3 times"):
            await requests.get(there.url, {}, Taken())
    assert len(there.heads) == 4


async def test_a_redirect_to_a_forbidden_place_is_refused(requests: Transfer) -> None:
    async with site(redirect("http://169.254.169.254/latest")) as there:
        with pytest.raises(AddressRefusedError):
            await requests.get(there.url, {}, Taken())


async def test_a_redirect_to_no_encryption_is_refused(certified: Certified) -> None:
    made = Site([redirect("http://127.0.0.1:PORT/b")])
    tls, trusting = certified.server_side(), ssl.create_default_context(cafile=certified.certificate)
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls) as listening:
        made.port = listening.sockets[0].getsockname()[1]
        async with transfer(Guard(allow_private=True), trusting) as requests:
            with pytest.raises(AddressRefusedError, match="without encryption"):
                await requests.get(f"https://127.0.0.1:{made.port}/a", {}, Taken())
    assert len(made.heads) == 1


async def test_a_certificate_that_nobody_vouches_for_is_an_error(
    certified: Certified, requests: Transfer
) -> None:
    made = Site([HELLO])
    tls = certified.server_side()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(OutgoingError, match="TLS failed"):
            await requests.get(f"https://127.0.0.1:{port}/a", {}, Taken())


async def test_an_answer_to_a_request_with_a_body_is_bounded_and_no_redirect_is_followed(
    requests: Transfer,
) -> None:
    async with site(redirect("/b"), HELLO, HELLO) as there:
        answer = await requests.post(there.url, {"X-A": "b"}, b"{}", most_bytes=5)
        assert (answer.status, answer.headers["location"]) == (302, "/b")
        answer = await requests.post(there.url, {}, b"{}", most_bytes=5)
        assert answer.body == b"hello"
        with pytest.raises(OutgoingError, match="longer than 4 bytes"):
            await requests.post(there.url, {}, b"{}", most_bytes=4)


async def test_an_answer_that_breaks_off_is_an_error(requests: Transfer) -> None:
    async with site(HELLO.replace(b"5", b"9")) as there:
        with pytest.raises(OutgoingError):
            await requests.get(there.url, {}, Taken())


async def test_what_falls_silent_is_an_error() -> None:
    held = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HELLO.replace(b"5", b"9"))
        await held.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with transfer(Guard(allow_private=True), silence_seconds=0.5) as requests:
            with pytest.raises(OutgoingError, match="no answer in time"):
                await requests.get(f"http://127.0.0.1:{port}/a", {}, Taken())
        held.set()


async def test_what_comes_too_slowly_is_an_error() -> None:
    async with site(HELLO) as there, transfer(Guard(allow_private=True), window_seconds=0) as requests:
        with pytest.raises(OutgoingError, match="too slow"):
            await requests.get(there.url, {}, Taken())


async def test_whoever_takes_may_refuse(requests: Transfer) -> None:
    async def refuse(_: bytes) -> None:
        raise OSError("full")

    async with site(HELLO) as there:
        with pytest.raises(OSError, match="full"):
            await requests.get(there.url, {}, refuse)


def test_an_origin_is_protocol_host_and_port() -> None:
    assert (
        origin_of("https://a.example/b?c")
        == origin_of("https://A.example:443/")
        == ("https", "a.example", 443)
    )
    assert origin_of("https://a.example") != origin_of("http://a.example:443")
