"""The library's client, strict about TLS. Loaded where NATS is used."""

from typing import Any

from nats.aio.client import Client
from nats.errors import Error


class StrictClient(Client):
    """Speaks to a server that was addressed by `tls://` by TLS or not at all.

    The library alone leaves it to the server, so that whoever answers in its place would be told all.
    """

    def __init__(self, tls_only: bool) -> None:
        super().__init__()
        self._tls_only = tls_only

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:  # noqa: FBT002 - as the library has it.
        # This is the first that is heard of a server, before it is told anything.
        if initial_connection and self._tls_only and not info.get("tls_required"):
            raise Error("it speaks no TLS, and its address begins with tls://")
        await super()._process_info(info, initial_connection)
