"""A connection to a Docker engine that is known to answer."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.endpoint import Endpoint, endpoint_of, unreachable
from lineshaft.model.reason import Reason
from lineshaft.telemetry.cause import brief, cause_of

if TYPE_CHECKING:
    from aiodocker import Docker
    from aiohttp import ClientResponse, ClientSession, TraceConfig, TraceRequestEndParams

__all__ = ["connected", "unreachable"]

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

    endpoint = endpoint_of(access)
    if isinstance(endpoint, Reason):
        yield endpoint
        return
    connector = endpoint.connector()
    timeout = ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
    # The reader refuses lines of twice its buffer, and the engine repeats each instruction in one line.
    buffer = _LONGEST_LINE_BYTES // 2
    with _closing_responses() as trace:
        async with ClientSession(
            connector=connector, timeout=timeout, read_bufsize=buffer, trace_configs=[trace]
        ) as session:
            version = await _api_version(session, endpoint, access.address)
            if isinstance(version, Reason):
                yield version
                return
            async with Docker(
                endpoint.url, connector=connector, session=session, api_version=version
            ) as docker:
                yield docker


@contextmanager
def _closing_responses() -> "Iterator[TraceConfig]":
    """Close each response at the end, since aiodocker leaves a stream open when its reader stops early."""
    from aiohttp import TraceConfig

    trace = TraceConfig()
    responses: list[ClientResponse] = []

    async def keep(_session: object, _context: object, end: "TraceRequestEndParams") -> None:
        # A connection may live for days, so what has been read to its end is let go.
        responses[:] = [response for response in responses if not response.closed]
        responses.append(end.response)

    trace.on_request_end.append(keep)
    try:
        yield trace
    finally:
        for response in responses:
            response.close()


async def _api_version(session: "ClientSession", endpoint: Endpoint, address: str) -> str | Reason:
    """Ask the engine for the newest API version that it speaks, which also proves that it is one."""
    from aiohttp import ClientError, ClientTimeout

    url = f"{endpoint.url}/version"
    try:
        async with session.get(url, timeout=ClientTimeout(total=_CONNECT_SECONDS)) as response:
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
