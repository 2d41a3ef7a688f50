"""The worker protocol (`sdk.worker_protocol`) over HTTP: a thin cover over the desk."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.responses import Response
from starlette.types import Scope

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import UnsupportedProtocolError
from lineshaft.model.permission import Permission
from lineshaft.model.principal import Actor, Means
from lineshaft.model.worker_key import WorkerCaller
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.server.access import ACTOR, CALLER
from lineshaft.server.bodies import REPORT_LIMIT_BYTES, read_body, read_message
from lineshaft.server.connection import while_connected
from lineshaft.server.depends import RunId
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import LOG_BODY, message_body
from lineshaft.server.permissions import needs
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.secrets.delivery import Visit
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER, SERVED_VERSIONS, Message
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    Hello,
    LeasesAnswer,
    LogAnswer,
    Report,
    SourceAnswer,
    SourceReport,
    Welcome,
)

_SERVED: Final = {str(version): version for version in SERVED_VERSIONS}
_SHOWN_CHARACTERS: Final = 20
_WITHOUT_DRAIN: Final = 1
"""The version whose workers do not know that they can be told to take no more."""

router = APIRouter(route_class=GuardedRoute, prefix="/v1/worker", tags=["worker protocol"])


@dataclass(frozen=True, slots=True)
class _Call:
    """What a worker calls: as one, because each dependency costs a fifth of the shortest request.

    Attributes:
        version: of the protocol that it speaks.
        desk: the desk as its caller finds it.
    """

    version: int
    desk: WorkerProtocol


def served_version(request: Request) -> int:
    """Tell which version of the protocol a worker speaks.

    Raises:
        UnsupportedProtocolError: one that is not served.
    """
    said = request.headers.get(PROTOCOL_HEADER, "")
    if said not in _SERVED:
        raise UnsupportedProtocolError(said[:_SHOWN_CHARACTERS] or "(none)", SERVED_VERSIONS)
    return _SERVED[said]


async def _call(request: Request) -> _Call:
    version = served_version(request)
    plane: ControlPlane = request.app.state.control_plane
    caller = request.scope[CALLER]
    return _Call(version, plane.fleet.desk.of(caller, Visit(version, _actor(request, caller))))


def _actor(request: Request, caller: WorkerCaller) -> Actor:
    """Tell who calls and from where; the worker's name is known from its session alone."""
    known: Actor | None = request.scope.get(ACTOR)
    if known is not None:
        return known
    host = "" if request.client is None else request.client.host
    return Actor("", Means.WORKER_KEY, host, credential_id=caller.key_id)


Call = Annotated[_Call, Depends(_call)]
Index = Annotated[int, Path(ge=0, le=2**31 - 1, description="The node's index in the run's tree.")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="Which attempt, from 1.")]
Offset = Annotated[int, Query(ge=0, le=2**53 - 1, description="Where the bytes begin in the log.")]
Lease = Annotated[str, Header(alias=LEASE_HEADER, description="The fencing token of the attempt's lease.")]


@router.post(
    "/register",
    responses={200: {"model": Welcome}},
    openapi_extra=needs(Permission.WORK, message_body(Hello)),
)
async def register(request: Request, call: Call) -> Response:
    """Begin a session; one of the same name is ended, and what it held is lost."""
    return _answer(await call.desk.register(await read_message(request, Hello)))


@router.post(
    "/claim",
    responses={200: {"model": LeasesAnswer}},
    openapi_extra=needs(Permission.WORK, message_body(ClaimRequest)),
)
async def claim(request: Request, call: Call) -> Response:
    """Ask for attempts, waiting up to `wait_seconds` for the first."""
    message = await read_message(request, ClaimRequest)
    return _answer(await while_connected(request, call.desk.claim(message)))


@router.post(
    "/heartbeat",
    responses={200: {"model": HeartbeatAnswer}},
    openapi_extra=needs(Permission.WORK, message_body(Heartbeat)),
)
async def heartbeat(request: Request, call: Call) -> Response:
    """Prolong leases and hear what is to be stopped, waiting up to `wait_seconds` for news of that."""
    message = await read_message(request, Heartbeat)
    if call.version == _WITHOUT_DRAIN:
        # It would be no news to it, however often it is told.
        message = message.model_copy(update={"draining": True})
    return _answer(await while_connected(request, call.desk.heartbeat(message)))


@router.post(
    "/source",
    responses={200: {"model": SourceAnswer}},
    openapi_extra=needs(Permission.WORK, message_body(SourceReport)),
)
async def resolve_source(request: Request, call: Call) -> Response:
    """Say which commit the source is at, and hear which one the run works on."""
    return _answer(await call.desk.resolve_source(await read_message(request, SourceReport)))


@router.post(
    "/report",
    responses={200: {"model": LeasesAnswer}},
    openapi_extra=needs(Permission.WORK, message_body(Report)),
)
async def report(request: Request, call: Call) -> Response:
    """Tell how an attempt ended, and get new leases for up to `slots` more."""
    return _answer(await call.desk.report(await read_message(request, Report, REPORT_LIMIT_BYTES)))


@router.put(
    "/runs/{run_id}/nodes/{node}/attempts/{attempt}/log",
    responses={200: {"model": LogAnswer}},
    openapi_extra=needs(Permission.WORK, LOG_BODY),
)
async def append_log(
    request: Request,
    call: Call,
    *,
    run_id: RunId,
    node: Index,
    attempt: Number,
    offset: Offset,
    lease: Lease,
) -> Response:
    """Append at most 1 MiB to an attempt's log; when this is answered the bytes are durable."""
    address = AttemptAddress(run_id, node, attempt)
    size = await call.desk.append_log(address, lease, offset, await read_body(request))
    return _answer(LogAnswer(size_bytes=size))


Endpoint = Callable[[Request], Awaitable[Response]]

_MOST_DIGITS: Final = 9
_LOG: Final = re.compile(
    f"{router.prefix}/runs/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
    f"/nodes/([0-9]{{1,{_MOST_DIGITS}}})/attempts/([1-9][0-9]{{0,{_MOST_DIGITS - 1}}})/log"
)
_OFFSET: Final = re.compile(rb"offset=([0-9]{1,15})")


def endpoint_of(scope: Scope) -> Endpoint | None:
    """Find what serves a request that is well-formed as far as its address tells; None for all others."""
    path: str = scope["path"]
    if not path.startswith(router.prefix):
        return None
    match scope["method"]:
        case "POST":
            return _POSTED.get(path) if not scope["query_string"] else None
        case "PUT":
            return _append_to(scope, path)
        case _:
            return None


def _append_to(scope: Scope, path: str) -> Endpoint | None:
    address, offset = _LOG.fullmatch(path), _OFFSET.fullmatch(scope["query_string"])
    leases = [value for name, value in scope["headers"] if name == _LEASE_FIELD]
    if address is None or offset is None or len(leases) != 1:
        return None
    run_id, node, attempt = address.groups()

    async def append(request: Request) -> Response:
        return await append_log(
            request,
            await _call(request),
            run_id=UUID(run_id),
            node=int(node),
            attempt=int(attempt),
            offset=int(offset[1]),
            lease=leases[0].decode("latin-1"),
        )

    return append


def _called(serve: Callable[[Request, _Call], Awaitable[Response]]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await serve(request, await _call(request))

    return endpoint


_LEASE_FIELD: Final = LEASE_HEADER.lower().encode()
_POSTED: Final[Mapping[str, Endpoint]] = {
    f"{router.prefix}/{name}": _called(serve)
    for name, serve in {
        "claim": claim,
        "heartbeat": heartbeat,
        "source": resolve_source,
        "report": report,
    }.items()
}


def _answer(message: Message) -> Response:
    return Response(message.model_dump_json(), media_type="application/json")
