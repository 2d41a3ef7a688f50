"""Connections to forges: list, show, set, remove."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from lineshaft.model.connection import Connection
from lineshaft.model.permission import Permission
from lineshaft.server.bodies import read_message
from lineshaft.server.connection_documents import (
    ConnectionDocument,
    ConnectionPage,
    ConnectionRequest,
)
from lineshaft.server.depends import After, By, Limit, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.connection import connection_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/connections", tags=["connections"])

Name = Annotated[str, Path(max_length=255, pattern=r"^[^\x00]*$", description="The connection's name.")]


@router.get("", responses={200: {"model": ConnectionPage}}, openapi_extra=needs(Permission.ADMIN))
async def list_connections(plane: Plane, limit: Limit = 50, after: After = None) -> Response:
    """List connections by name."""
    found = [each for each in await plane.sources.connections.list() if after is None or each.name > after]
    following = found[limit - 1].name if len(found) > limit else None
    items = [to_json(each) for each in await _documents(plane, found[:limit])]
    return Response(page_json(items, following), media_type=_JSON)


@router.get("/{name}", responses={200: {"model": ConnectionDocument}}, openapi_extra=needs(Permission.ADMIN))
async def get_connection(plane: Plane, name: Name) -> Response:
    """Show a connection."""
    (found,) = await _documents(plane, [await plane.sources.connections.get(name)])
    return Response(to_json(found), media_type=_JSON)


@router.put(
    "/{name}",
    responses={200: {"model": ConnectionDocument}},
    openapi_extra=needs(Permission.ADMIN, required_body(ConnectionRequest)),
)
async def set_connection(request: Request, plane: Plane, by: By, name: Name) -> Response:
    """Make a connection, or change all of it."""
    asked = await read_message(request, ConnectionRequest)
    (made,) = await _documents(plane, [await plane.sources.connections.put(name, asked.to_terms(), by)])
    return Response(to_json(made), media_type=_JSON)


@router.delete("/{name}", status_code=204, openapi_extra=needs(Permission.ADMIN))
async def remove_connection(plane: Plane, by: By, name: Name) -> Response:
    """Remove a connection; the secrets that it names stay."""
    await plane.sources.connections.remove(name, by)
    return Response(status_code=204)


async def _documents(plane: ControlPlane, found: Sequence[Connection]) -> Sequence[dict[str, Any]]:
    warnings = await plane.sources.connections.warnings(found)
    return [connection_document(each, told) for each, told in zip(found, warnings, strict=True)]
