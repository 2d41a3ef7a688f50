"""Requests to addresses that users name, over real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address

import pytest

from integration.certificates import Certified
from lineshaft.integrations.outgoing import AddressRefusedError, Guard, OutgoingError, UnresolvedError
from lineshaft.integrations.outgoing.address import IPAddress
from lineshaft.integrations.outgoing.client import Bounds, OutgoingClient, outgoing_client

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Names:
    """A resolver whose answers follow each other; the last one stays."""

    answers: dict[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str) -> Sequence[IPAddress]:
        self.asked.append(host)
        answers = self.answers.get(host)
        if answers is None:
            raise OSError(-2, "Name or service not known")
        return [ip_address(text) for text in (answers.pop(0) if len(answers) > 1 else answers[0])]


@dataclass
class Server:
    """Gives its answers one after the other, and keeps what it was asked."""

    answers: list[bytes]
    requests: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answers.pop(0).replace(b"PORT", str(self.port).encode()))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(list(answers))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    async with listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def client(names: Names, bounds: Bounds | None = None) -> AbstractAsyncContextManager[OutgoingClient]:
    return outgoing_client(Guard(allow_private=True, resolver=names), bounds)


async def test_an_answer_comes_from_the_address_that_was_judged_under_the_name_that_was_asked() -> None:
    names = Names({"hook.example": [["127.0.0.1"]]})
    async with serving(OK) as server, client(names) as outgoing:
        answer = await outgoing.send("POST", f"http://hook.example:{server.port}/a?b=c", body=b"{}")

    assert (answer.status, answer.body) == (200, b"hello")
    [request] = server.requests
    assert request.startswith("POST /a?b=c HTTP/1.1\r\n")
    assert f"\r\nhost: hook.example:{server.port}\r\n" in request.lower()


async def test_a_name_that_leads_elsewhere_the_second_time_is_not_asked_again() -> None:
    names = Names({"rebind.example": [["127.0.0.1"], ["169.254.169.254"]]})
    async with serving(OK) as server, client(names) as outgoing:
        answer = await outgoing.send("GET", f"http://rebind.example:{server.port}/")

    assert answer.status == 200
    assert names.asked == ["rebind.example"]


async def test_a_name_with_one_forbidden_address_is_refused_altogether() -> None:
    names = Names({"both.example": [["127.0.0.1", "169.254.169.254"]]})
    async with serving(OK) as server, client(names) as outgoing:
        with pytest.raises(AddressRefusedError, match=r"both\.example.* leads to 169\.254\.169\.254"):
            await outgoing.send("GET", f"http://both.example:{server.port}/")

    assert server.requests == []


async def test_private_addresses_are_refused_where_they_are_not_allowed() -> None:
    async with serving(OK) as server, outgoing_client(Guard(allow_private=False)) as outgoing:
        with pytest.raises(AddressRefusedError, match="private network"):
            await outgoing.send("GET", f"http://localhost:{server.port}/")

    assert server.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://inner.example/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://2852039166/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:1/",
    ],
)
async def test_a_redirect_to_a_forbidden_address_is_refused(location: str) -> None:
    names = Names({"hook.example": [["127.0.0.1"]], "inner.example": [["fd00:ec2::254"]]})
    async with serving(redirect(location)) as server, client(names) as outgoing:
        with pytest.raises(OutgoingError):
            await outgoing.send("GET", f"http://hook.example:{server.port}/")

    assert len(server.requests) == 1


async def test_a_redirect_to_another_host_is_followed_without_the_credentials() -> None:
    names = Names({"one.example": [["127.0.0.1"]], "two.example": [["127.0.0.1"]]})
    async with serving(redirect("http://two.example:PORT/there"), OK) as server, client(names) as outgoing:
        url = f"http://one.example:{server.port}/"
        answer = await outgoing.send("GET", url, headers={"Authorization": "Bearer secret"})

    assert answer.body == b"hello"
    assert names.asked == ["one.example", "two.example"]
    assert "secret" in server.requests[0]
    assert "secret" not in server.requests[1]


async def test_redirects_without_an_end_are_given_up() -> None:
    names = Names({"round.example": [["127.0.0.1"]]})
    answers = [redirect("http://round.example:PORT/")] * 9
    async with serving(*answers) as server, client(names, Bounds(redirects=2)) as outgoing:
        with pytest.raises(OutgoingError, match="more than 2 times"):
            await outgoing.send("GET", f"http://round.example:{server.port}/")

    assert len(server.requests) == 3


async def test_the_next_address_is_tried_where_nobody_listens_at_the_first() -> None:
    names = Names({"two.example": [["127.0.0.2", "127.0.0.1"]]})
    async with serving(OK) as server, client(names) as outgoing:
        assert (await outgoing.send("GET", f"http://two.example:{server.port}/")).status == 200


@pytest.mark.parametrize("head", [b"Content-Length: 70000", b"Content-Encoding: gzip", b"Connection: close"])
async def test_an_answer_that_is_too_long_is_not_read(head: bytes) -> None:
    names = Names({"long.example": [["127.0.0.1"]]})
    body = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + bytes(70_000)
    async with serving(body) as server, client(names) as outgoing:
        with pytest.raises(OutgoingError, match="longer than 65,536 bytes"):
            await outgoing.send("GET", f"http://long.example:{server.port}/")


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    names = Names({"slow.example": [["127.0.0.1"]]})
    bounds = Bounds(time=timedelta(milliseconds=200))
    silent = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with server, client(names, bounds) as outgoing:
        with pytest.raises(OutgoingError, match="no answer in time"):
            await outgoing.send("GET", f"http://slow.example:{server.sockets[0].getsockname()[1]}/")
        silent.set()


async def test_a_name_without_an_address_is_told() -> None:
    async with client(Names({})) as outgoing:
        with pytest.raises(UnresolvedError, match=r"'nowhere\.example'"):
            await outgoing.send("GET", "http://nowhere.example/")


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names({"hook.example": [["127.0.0.1"]]})
    async with serving(OK) as server:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
        async with client(names) as outgoing:
            assert (await outgoing.send("GET", f"http://hook.example:{server.port}/")).status == 200


async def test_a_certificate_must_be_that_of_the_name_and_not_of_the_address(certified: Certified) -> None:
    names = Names({"hook.example": [["127.0.0.1"]]})
    trusted = ssl.create_default_context(cafile=certified.certificate)
    guard = Guard(allow_private=True, resolver=names)
    async with (
        serving(OK, OK, tls=certified.server_side()) as server,
        outgoing_client(guard, tls=trusted) as outgoing,
    ):
        # The certificate is for 127.0.0.1.
        assert (await outgoing.send("GET", f"https://127.0.0.1:{server.port}/")).status == 200
        with pytest.raises(OutgoingError, match=r"hook\.example"):
            await outgoing.send("GET", f"https://hook.example:{server.port}/")

    assert len(server.requests) == 1


async def test_a_redirect_that_gives_encryption_up_is_refused(certified: Certified) -> None:
    trusted = ssl.create_default_context(cafile=certified.certificate)
    async with (
        serving(redirect("http://127.0.0.1:PORT/"), tls=certified.server_side()) as server,
        outgoing_client(Guard(allow_private=True), tls=trusted) as outgoing,
    ):
        with pytest.raises(AddressRefusedError, match="without encryption"):
            await outgoing.send("GET", f"https://127.0.0.1:{server.port}/")
