"""Sends requests whose redirects and long answers are the caller's matter, to guarded addresses only."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx2

from lineshaft.integrations.outgoing.client import Answer
from lineshaft.integrations.outgoing.guard import AddressRefusedError, Guard, OutgoingError
from lineshaft.integrations.outgoing.transport import GuardedTransport
from lineshaft.telemetry.cause import cause_of

Take = Callable[[bytes], Awaitable[None]]
"""Takes the next bytes of an answer."""

_SLOW_BYTES: Final = 30_000
_REDIRECTS: Final = 3
_TEXT_BYTES: Final = 64 * 1024
_OK: Final = 200
# What a request says of itself and its connection, and a stranger may not say for it.
_OWN_HEADERS: Final = frozenset(
    ("connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade")
)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Tell whose address it is: protocol, host and port, by which credentials are for one or for another.

    Raises:
        ValueError: it is no URL.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").rstrip("."), port


class Transfer:
    """Makes requests, each of which is guarded."""

    def __init__(self, client: httpx2.AsyncClient, window_seconds: float, silence_seconds: float) -> None:
        """Use a client whose transport is guarded; `transfer` makes one, and tells of the rest."""
        self._client: Final = client
        self._window_seconds: Final = window_seconds
        self._silence_seconds: Final = silence_seconds

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, most_bytes: int) -> Answer:
        """Send a request, and read an answer, which may be a redirect.

        Args:
            url: where to.
            headers: some; those of the connection are left out.
            body: what is sent.
            most_bytes: how long an answer may be.

        Raises:
            AddressRefusedError: no request may go there.
            OutgoingError: nobody answers in time, or more than that.
        """
        with _told():
            async with asyncio.timeout(self._silence_seconds):
                request = self._client.build_request("POST", url, headers=_foreign(headers), content=body)
                response = await self._client.send(request, stream=True)
                try:
                    return _answer(response, await _beginning(response, most_bytes))
                finally:
                    await response.aclose()

    async def get(self, url: str, headers: Mapping[str, str], take: Take) -> Answer:
        """Fetch something, however long it is; one that comes too slowly is an error.

        A redirect from https to http is refused; one to another protocol, host or port loses all headers.

        Args:
            url: where it is.
            headers: for this address; those of the connection are left out.
            take: gets the content of an answer 200, which it may refuse by an error.

        Returns:
            The answer; its body is the beginning of what came with another status.

        Raises:
            AddressRefusedError: it, or a redirect of it, leads where no request may go.
            OutgoingError: nobody answers in time, or the answer breaks off or is too slow.
        """
        sent = _foreign(headers)
        for _ in range(_REDIRECTS + 1):
            with _told():
                response = await self._client.send(
                    self._client.build_request("GET", url, headers=sent), stream=True
                )
            try:
                following = response.next_request
                if following is None:
                    return await self._received(response, take)
            finally:
                await response.aclose()
            if url.startswith("https:") and following.url.scheme != "https":
                raise AddressRefusedError("It was redirected from https to an address without encryption.")
            if origin_of(str(following.url)) != origin_of(url):
                sent = {}
            url = str(following.url)
        raise OutgoingError(f"It was redirected more than {_REDIRECTS} times.")

    async def _received(self, response: httpx2.Response, take: Take) -> Answer:
        if response.status_code != _OK:
            with _told():
                async with asyncio.timeout(self._silence_seconds):
                    return _answer(response, await _beginning(response, _TEXT_BYTES, cut=True))
        parts = response.aiter_raw()
        loop = asyncio.get_running_loop()
        begin, size = loop.time(), 0
        while True:
            with _told():
                part = await anext(parts, None)
            if part is None:
                return _answer(response, b"")
            await take(part)
            size += len(part)
            if loop.time() - begin > self._window_seconds:
                if size < _SLOW_BYTES:
                    seconds = f"{self._window_seconds:g} seconds"
                    raise OutgoingError(f"It is too slow: less than {_SLOW_BYTES:,} bytes in {seconds}.")
                begin, size = loop.time(), 0


@asynccontextmanager
async def transfer(
    guard: Guard,
    tls: ssl.SSLContext | None = None,
    *,
    window_seconds: float = 30.0,
    silence_seconds: float = 30.0,
) -> AsyncIterator[Transfer]:
    """Open one.

    Args:
        guard: says where requests may go.
        tls: which certificates are trusted; None means those of the system.
        window_seconds: in which time content must have come, or it is too slow.
        silence_seconds: for how long nothing may come.
    """
    async with httpx2.AsyncClient(
        transport=GuardedTransport(guard, tls),
        headers={"Accept-Encoding": "identity", "User-Agent": "Lineshaft"},
        timeout=silence_seconds,
        trust_env=False,
    ) as client:
        yield Transfer(client, window_seconds, silence_seconds)


async def _beginning(response: httpx2.Response, most_bytes: int, *, cut: bool = False) -> bytes:
    content = bytearray()
    async for part in response.aiter_raw():
        content += part
        if len(content) > most_bytes:
            if cut:
                return bytes(content[:most_bytes])
            raise OutgoingError(f"The answer is longer than {most_bytes:,} bytes.")
    return bytes(content)


def _answer(response: httpx2.Response, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, body)


def _foreign(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OWN_HEADERS}


@contextmanager
def _told() -> Iterator[None]:
    """Say in words what went wrong with a request."""
    try:
        yield
    except (TimeoutError, ValueError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise OutgoingError(f"The request failed: {cause_of(error)}.") from error
