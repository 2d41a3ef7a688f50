"""HTTP to guarded addresses only, for clients of httpx2."""

import ssl
from typing import Final

import httpx2

from lineshaft.integrations.outgoing.guard import AddressRefusedError, Guard

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Connects to the very address that the guard has judged, so that no second answer of a resolver counts.

    Host header, server name and certificate stay those of the name. Connections are not kept: two names may
    lead to one address, and TLS was checked for one of them only. Proxies of the environment are not used.
    """

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None = None) -> None:
        """Guard what connects.

        Args:
            guard: says where requests may go.
            tls: which certificates are trusted; None means those of the system.
        """
        self._guard: Final = guard
        self._inner: Final = httpx2.AsyncHTTPTransport(
            verify=tls or True, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first address that can be connected to.

        Raises:
            OutgoingError: the guard refuses, or knows no address.
            httpx2.TransportError: nobody answers.
        """
        url = request.url
        if url.scheme not in _DEFAULT_PORTS:
            raise AddressRefusedError(f"Requests go by http and https, not by '{url.scheme}'.")
        *others, last = await self._guard.addresses(url.host)
        extensions = {**request.extensions, "sni_hostname": url.host}
        for address in (*others, last):
            pinned = httpx2.Request(
                request.method,
                url.copy_with(host=str(address)),
                headers=request.headers,
                stream=request.stream,
                extensions=extensions,
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                # Nothing was sent yet.
                if address is last:
                    raise
        raise AssertionError(url)

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()
