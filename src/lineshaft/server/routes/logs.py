"""Logs: read by byte ranges, and followed."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from lineshaft.model.permission import Permission
from lineshaft.server.connection import EventStream
from lineshaft.server.depends import AttemptNumber, NodePath, Plane, RunId
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.log_stream import LogCursor, bad_cursor, log_events
from lineshaft.server.openapi import EVENTS, LOG_BYTES, Responses
from lineshaft.server.permissions import needs
from lineshaft.server.ranges import ByteRange, UnsatisfiableRangeError, requested_range

router = APIRouter(route_class=GuardedRoute, prefix="/v1/runs/{run_id}/nodes/{path:path}/log", tags=["logs"])

_MEDIA_TYPE: Final = "text/plain; charset=utf-8"
_ANSWERS: Final[Responses] = {
    200: {**LOG_BYTES, "description": "The whole log."},
    206: {**LOG_BYTES, "description": "The bytes that `Range` asks for."},
    416: {"description": "No byte of the log lies in that range."},
}


@router.get("", response_class=PlainTextResponse, responses=_ANSWERS, openapi_extra=needs(Permission.VIEW))
@router.head("", include_in_schema=False, openapi_extra=needs(Permission.VIEW))
async def get_log(
    run_id: RunId, path: NodePath, request: Request, plane: Plane, attempt: AttemptNumber = None
) -> Response:
    """Read what a node has printed so far, or one range of its bytes."""
    log = await plane.logs.find(run_id, path, attempt)
    size = log.state.size_bytes
    headers = {"Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    if not log.state.complete:
        headers["Cache-Control"] = "no-store"
    try:
        part = _part(request, size)
    except UnsatisfiableRangeError:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    shown = part or ByteRange(0, size)
    headers["Content-Length"] = str(shown.stop - shown.start)
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    if request.method == "HEAD":
        return Response(headers=headers, media_type=_MEDIA_TYPE)
    chunks = plane.logs.read(log, shown.start, shown.stop)
    return StreamingResponse(chunks, 200 if part is None else 206, headers, _MEDIA_TYPE)


@router.get(
    "/stream",
    status_code=200,
    response_class=EventStream,
    responses={200: EVENTS},
    openapi_extra=needs(Permission.VIEW),
)
async def stream_log(
    run_id: RunId,
    path: NodePath,
    plane: Plane,
    *,
    attempt: AttemptNumber = None,
    after: Annotated[str, Query(description="As `Last-Event-ID`, or an offset in bytes.")] = "",
    last_event_id: Annotated[str, Header(description="The id of the last event that arrived.")] = "",
) -> Response:
    """Follow what a node prints, as server-sent events.

    `log` events carry `{"offset", "text"}`, or `{"offset", "base64"}` where the bytes are no UTF-8; the last
    event is `end` with `{"state"}`, the node's. A node that has not begun is waited for.
    """
    field = "Last-Event-ID" if last_event_id else "after"
    cursor = LogCursor.parse(last_event_id or after, field=field)
    if None not in (attempt, cursor.attempt) and attempt != cursor.attempt:
        raise bad_cursor(field, f"belongs to attempt {cursor.attempt}, not to attempt {attempt}")
    log = await plane.logs.find(run_id, path, attempt or cursor.attempt)
    if cursor.offset > log.state.size_bytes:
        raise bad_cursor(field, f"must not be behind the log's end, which is at byte {log.state.size_bytes}")
    return EventStream(log_events(plane, path, log, cursor.offset))


def _part(request: Request, size: int) -> ByteRange | None:
    # Only GET knows ranges, and without validators no If-Range can hold (RFC 9110, sections 14.2 and 13.1.5).
    header = request.headers.get("range")
    if header is None or request.method != "GET" or "if-range" in request.headers:
        return None
    return requested_range(header, size)
