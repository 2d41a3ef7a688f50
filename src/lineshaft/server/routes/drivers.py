"""Drivers that others have written: list, show, forget, and send them messages."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from lineshaft.model.known_driver import DRIVER_NAME_PATTERN
from lineshaft.model.permission import Permission, may
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import After, By, Caller, Limit, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.server.resource_documents import (
    BroadcastDocument,
    BroadcastRequest,
    DriverDocument,
    DriverPage,
)
from lineshaft.wire.resource import driver_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/drivers", tags=["drivers"])

Name = Annotated[str, Path(pattern=DRIVER_NAME_PATTERN, description="The driver's name.")]


@router.get("", responses={200: {"model": DriverPage}}, openapi_extra=needs(Permission.VIEW))
async def list_drivers(plane: Plane, limit: Limit = 50, after: After = None) -> Response:
    """List every driver that has ever registered, by name, with what it serves and how it stands."""
    found = [
        each for each in await plane.fleet.drivers.all() if after is None or each.declaration.name > after
    ]
    following = found[limit - 1].declaration.name if len(found) > limit else None
    items = [to_json(driver_document(each)) for each in found[:limit]]
    return Response(page_json(items, following), media_type=_JSON)


@router.post(
    "/broadcast",
    status_code=202,
    responses={202: {"model": BroadcastDocument}},
    openapi_extra=needs(Permission.MAINTAIN, required_body(BroadcastRequest)),
)
async def broadcast(request: Request, plane: Plane, caller: Caller, by: By) -> Response:
    """Send a message to all drivers that hear its event, or to those that are named, as a run."""
    asked = await read_message(request, BroadcastRequest)
    may_run = partial(may, caller, Permission.RUN)
    sent = await plane.resources.broadcasts.send(
        asked.event, asked.payload, asked.drivers, by=by, may_run=may_run
    )
    document = {
        "run_id": None if sent is None else str(sent.id),
        "drivers": [] if sent is None else [place.path for place in sent.tree.below_root()],
    }
    headers = {} if sent is None else {"Location": f"/v1/runs/{sent.id}"}
    return Response(to_json(document), 202, headers, media_type=_JSON)


@router.get("/{name}", responses={200: {"model": DriverDocument}}, openapi_extra=needs(Permission.VIEW))
async def get_driver(plane: Plane, name: Name) -> Response:
    """Tell what a driver serves, and how it stands."""
    return Response(to_json(driver_document(await plane.fleet.drivers.get(name))), media_type=_JSON)


@router.delete("/{name}", status_code=204, openapi_extra=needs(Permission.ADMIN))
async def forget_driver(plane: Plane, by: By, name: Name) -> Response:
    """Take a driver that is not connected from the list, so that nothing more is meant for it."""
    await plane.fleet.drivers.forget(name, by=by)
    return Response(status_code=204)
