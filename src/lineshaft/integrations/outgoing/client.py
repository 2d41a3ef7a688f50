"""Sends a request to an address that a user named, within bounds."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import httpx2

from lineshaft.integrations.outgoing.guard import AddressRefusedError, Guard, OutgoingError
from lineshaft.integrations.outgoing.transport import GuardedTransport
from lineshaft.telemetry.cause import cause_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a request may take.

    Attributes:
        time: from its beginning to the last byte of the answer, redirects included.
        body_bytes: how much of an answer is read; one with more is an error.
        redirects: how many are followed.
    """

    time: timedelta = timedelta(seconds=10)
    body_bytes: int = 64 * 1024
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        headers: their names in lower case.
        body: as it was sent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutgoingClient:
    """Makes requests, each of them guarded anew at every redirect."""

    def __init__(self, client: httpx2.AsyncClient, bounds: Bounds) -> None:
        """Use a client whose transport is guarded; `outgoing_client` makes one."""
        self._client: Final = client
        self._bounds: Final = bounds

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send a request, and read the answer.

        A redirect from https to http is refused; one to another host loses the credentials in the headers.

        Raises:
            AddressRefusedError: it, or a redirect of it, leads where no request may go.
            OutgoingError: nobody answers in time, or with more than the bounds allow.
        """
        try:
            async with asyncio.timeout(self._bounds.time.total_seconds()):
                request = self._client.build_request(method, url, headers=headers, content=body)
                for _ in range(self._bounds.redirects + 1):
                    answer = await self._hop(request)
                    if isinstance(answer, Answer):
                        return answer
                    request = answer
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise OutgoingError(f"The request failed: {cause_of(error)}.") from error
        raise OutgoingError(f"It was redirected more than {self._bounds.redirects} times.")

    async def _hop(self, request: httpx2.Request) -> Answer | httpx2.Request:
        response = await self._client.send(request, stream=True)
        try:
            following = response.next_request
            if following is not None:
                if request.url.scheme == "https" and following.url.scheme != "https":
                    raise AddressRefusedError(
                        "It was redirected from https to an address without encryption."
                    )
                return following
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, await self._body(response))
        finally:
            await response.aclose()

    async def _body(self, response: httpx2.Response) -> bytes:
        content = bytearray()
        async for part in response.aiter_raw():
            content += part
            if len(content) > self._bounds.body_bytes:
                raise OutgoingError(f"The answer is longer than {self._bounds.body_bytes:,} bytes.")
        return bytes(content)


@asynccontextmanager
async def outgoing_client(
    guard: Guard, bounds: Bounds | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[OutgoingClient]:
    """Open a client.

    Args:
        guard: says where requests may go.
        bounds: of each of them; None takes the default ones.
        tls: which certificates are trusted; None means those of the system.
    """
    limits = bounds or Bounds()
    headers = {"Accept-Encoding": "identity", "User-Agent": "Lineshaft"}
    async with httpx2.AsyncClient(
        transport=GuardedTransport(guard, tls),
        headers=headers,
        timeout=limits.time.total_seconds(),
        trust_env=False,
    ) as client:
        yield OutgoingClient(client, limits)
