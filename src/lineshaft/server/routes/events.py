"""A run's history as it is made."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.model.run import Run
from lineshaft.server.connection import EventStream
from lineshaft.server.depends import Plane, RunId
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.log_stream import bad_cursor
from lineshaft.server.openapi import EVENTS
from lineshaft.server.permissions import needs
from lineshaft.server.sent_events import HEARTBEAT, end_event, sent_event
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.run import event_document

router = APIRouter(route_class=GuardedRoute, prefix="/v1/runs/{run_id}/events", tags=["runs"])

_NUMBER: Final = re.compile(r"[0-9]{1,18}")


@router.get(
    "",
    status_code=200,
    response_class=EventStream,
    responses={200: EVENTS},
    openapi_extra=needs(Permission.VIEW),
)
async def stream_events(
    run_id: RunId,
    plane: Plane,
    after: Annotated[str, Query(description="As `Last-Event-ID`.")] = "",
    last_event_id: Annotated[str, Header(description="The id of the last event that arrived.")] = "",
) -> Response:
    """Follow a run, as server-sent events.

    `state` events carry an EventDocument, and their ids count from 1 without a gap; the last event is `end`
    with `{"state"}`, the run's.
    """
    run = await plane.runs.get(run_id)
    field, text = ("Last-Event-ID", last_event_id) if last_event_id else ("after", after or "0")
    if _NUMBER.fullmatch(text) is None or int(text) > run.event_count:
        raise bad_cursor(
            field, f"must be the number of one of the run's {run.event_count} events so far, or 0"
        )
    return EventStream(_states(plane, run, int(text)))


async def _states(plane: ControlPlane, run: Run, after: int) -> AsyncGenerator[bytes, None]:
    async with aclosing(plane.runs.follow(run.id, after=after)) as events:
        async for event in events:
            if event is None:
                yield HEARTBEAT
            else:
                if event.node >= len(run.tree):
                    # It has more nodes than it had.
                    run = await plane.runs.get(run.id, events=event.number)
                document = event_document(run.tree, event)
                yield sent_event("state", document, identity=str(event.number))
    yield end_event((await plane.runs.get(run.id)).state)
