"""Users: create, list, show, change, delete."""

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.account_documents import (
    UserDetailDocument,
    UserDocument,
    UserPage,
)
from lineshaft.server.account_requests import NewUserRequest, UserChangeRequest
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import After, By, Caller, Limit, Plane, UserPath
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.wire.access import user_detail_document, user_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/users", tags=["users"])


@router.post(
    "",
    status_code=201,
    responses={201: {"model": UserDocument}},
    openapi_extra=needs(Permission.ADMIN, required_body(NewUserRequest)),
)
async def create_user(request: Request, by: By, plane: Plane) -> Response:
    """Make a user."""
    asked = await read_message(request, NewUserRequest)
    user = await plane.access.users.create(by, asked.name, asked.password, asked.role)
    location = {"Location": f"/v1/users/{quote(user.name, safe='')}"}
    return Response(to_json(user_document(user)), status_code=201, headers=location, media_type=_JSON)


@router.get("", responses={200: {"model": UserPage}}, openapi_extra=needs(Permission.ADMIN))
async def list_users(plane: Plane, limit: Limit = 50, after: After = None) -> Response:
    """List users by name."""
    found = await plane.access.users.page(after=after, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].name if len(found) > limit else None
    items = [to_json(user_document(user)) for user in shown]
    return Response(page_json(items, following), media_type=_JSON)


@router.get(
    "/{name:path}", responses={200: {"model": UserDetailDocument}}, openapi_extra=needs(Permission.ADMIN)
)
async def get_user(name: UserPath, plane: Plane) -> Response:
    """Tell who a user is, and what they are to which pipelines."""
    user, grants = await plane.access.users.get(name)
    document = user_detail_document(user, ((each.grant, each.pipeline) for each in grants))
    return Response(to_json(document), media_type=_JSON)


@router.patch(
    "/{name:path}",
    responses={200: {"model": UserDocument}},
    openapi_extra=needs(Permission.ADMIN, required_body(UserChangeRequest)),
)
async def change_user(name: UserPath, request: Request, caller: Caller, by: By, plane: Plane) -> Response:
    """Give a user another role or password, disable or enable them."""
    asked = await read_message(request, UserChangeRequest)
    user = await plane.access.users.change(caller, by, name, asked.to_change())
    return Response(to_json(user_document(user)), media_type=_JSON)


@router.delete("/{name:path}", status_code=204, openapi_extra=needs(Permission.ADMIN))
async def delete_user(name: UserPath, by: By, plane: Plane) -> Response:
    """Delete a user, with their roles, tokens and sessions."""
    await plane.access.users.delete(by, name)
    return Response(status_code=204)
