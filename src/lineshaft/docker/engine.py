"""A connection to a Docker engine that is known to answer."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

from lineshaft.docker.access import DockerAccess
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.telemetry.cause import brief, cause_of

if TYPE_CHECKING:
    from aiodocker import Docker
    from aiohttp import BaseConnector, ClientSession, TraceConfig, TraceRequestEndParams

_CONNECT_SECONDS: Final = 5.0
_LONGEST_LINE_BYTES: Final = 4 * 1024 * 1024


@asynccontextmanager
async def connected(access: DockerAccess) -> "AsyncIterator[Docker | Reason]":
    """Connect, or tell why not within a few seconds; all connections are closed at the end.

    Closing the connection is also how a build is stopped: the engine kills what it runs for a client that
    has gone.
    """
    from aiodocker import Docker
    from aiohttp import ClientSession, ClientTimeout

    endpoint = _endpoint(access)
    if isinstance(endpoint, Reason):
        yield endpoint
        return
    url, connector = endpoint
    timeout = ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
    # The reader refuses lines of twice its buffer, and the engine repeats each instruction in one line.
    buffer = _LONGEST_LINE_BYTES // 2
    with _closing_responses() as trace:
        async with ClientSession(
            connector=connector, timeout=timeout, read_bufsize=buffer, trace_configs=[trace]
        ) as session:
            version = await _api_version(session, url, access.address)
            if isinstance(version, Reason):
                yield version
                return
            async with Docker(url, connector=connector, session=session, api_version=version) as docker:
                yield docker


@contextmanager
def _closing_responses() -> "Iterator[TraceConfig]":
    """Close each response at the end, since aiodocker leaves a stream open when its reader stops early."""
    from aiohttp import TraceConfig

    trace = TraceConfig()
    with ExitStack() as responses:

        async def keep(_session: object, _context: object, end: "TraceRequestEndParams") -> None:
            responses.callback(end.response.close)

        trace.on_request_end.append(keep)
        yield trace


def unreachable(address: str, cause: str) -> Reason:
    """Say which address did not answer, and why."""
    return Reason(ReasonCode.DOCKER_UNREACHABLE, f"No Docker engine answered at {address}: {cause}.")


def _endpoint(access: DockerAccess) -> "tuple[str, BaseConnector] | Reason":
    from aiohttp import TCPConnector, UnixConnector

    scheme, separator, rest = access.address.partition("://")
    match scheme:
        case "unix" if separator:
            return "http://docker", UnixConnector(f"/{rest.lstrip('/')}")
        case "tcp" | "http" | "https" if rest:
            pass
        case _:
            return unreachable(
                access.address, "an address is unix:///path, tcp://host:port or https://host:port"
            )
    if access.tls_folder is None:
        return f"{scheme.replace('tcp', 'http')}://{rest.rstrip('/')}", TCPConnector()
    try:
        tls = ssl.create_default_context(cafile=access.tls_folder / "ca.pem")
        tls.load_cert_chain(access.tls_folder / "cert.pem", access.tls_folder / "key.pem")
    except OSError as error:
        return unreachable(
            access.address, f"the TLS files in {access.tls_folder} cannot be used ({cause_of(error)})"
        )
    return f"https://{rest.rstrip('/')}", TCPConnector(ssl=tls)


async def _api_version(session: "ClientSession", url: str, address: str) -> str | Reason:
    """Ask the engine for the newest API version that it speaks, which also proves that it is one."""
    from aiohttp import ClientError, ClientTimeout

    try:
        async with session.get(f"{url}/version", timeout=ClientTimeout(total=_CONNECT_SECONDS)) as response:
            answer = await response.text()
            described = await response.json() if response.ok else None
    except (ClientError, OSError, ValueError) as error:
        return unreachable(address, cause_of(error))
    match described:
        case {"ApiVersion": str() as version}:
            return f"v{version}"
        case _:
            return unreachable(
                address, f"what listens there is something else (HTTP {response.status}, {brief(answer)!r})"
            )
