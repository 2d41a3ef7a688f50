"""Where a Docker engine listens, as what opens connections to it."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lineshaft.docker.access import DockerAccess
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.telemetry.cause import cause_of

if TYPE_CHECKING:
    from aiohttp import BaseConnector

_LOCAL_URL: Final = "http://docker"
_READ_AHEAD_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine listens.

    Attributes:
        url: the beginning of its URLs.
        socket_path: of its Unix socket; None where it is reached by the network.
        tls: with what it is spoken to; None speaks plainly, or with the system's certificates where the URL
            says https.
    """

    url: str
    socket_path: str | None = None
    tls: ssl.SSLContext | None = None

    def connector(self) -> "BaseConnector":
        """Make what an HTTP client connects by; it opens nothing yet."""
        from aiohttp import TCPConnector, UnixConnector

        if self.socket_path is not None:
            return UnixConnector(self.socket_path, limit=0)
        return TCPConnector(limit=0) if self.tls is None else TCPConnector(ssl=self.tls, limit=0)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection of its own, for what is no HTTP after its first lines.

        Raises:
            OSError: nobody listens there.
        """
        if self.socket_path is not None:
            return await asyncio.open_unix_connection(self.socket_path, limit=_READ_AHEAD_BYTES)
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        tls = self.tls or secure or None
        return await asyncio.open_connection(parts.hostname, port, ssl=tls, limit=_READ_AHEAD_BYTES)


def endpoint_of(access: DockerAccess) -> Endpoint | Reason:
    """Read an address, and the files for TLS; or tell why they cannot be used."""
    scheme, separator, rest = access.address.partition("://")
    match scheme:
        case "unix" if separator:
            return Endpoint(_LOCAL_URL, f"/{rest.lstrip('/')}")
        case "tcp" | "http" | "https" if rest:
            pass
        case _:
            return unreachable(
                access.address, "an address is unix:///path, tcp://host:port or https://host:port"
            )
    if access.tls_folder is None:
        return Endpoint(f"{scheme.replace('tcp', 'http')}://{rest.rstrip('/')}")
    try:
        tls = ssl.create_default_context(cafile=access.tls_folder / "ca.pem")
        tls.load_cert_chain(access.tls_folder / "cert.pem", access.tls_folder / "key.pem")
    except OSError as error:
        return unreachable(
            access.address, f"the TLS files in {access.tls_folder} cannot be used ({cause_of(error)})"
        )
    return Endpoint(f"https://{rest.rstrip('/')}", tls=tls)


def unreachable(address: str, cause: str) -> Reason:
    """Say which address did not answer, and why."""
    return Reason(ReasonCode.DOCKER_UNREACHABLE, f"No Docker engine answered at {address}: {cause}.")
