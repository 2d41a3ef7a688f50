"""The caller's own account: who they are, and their password."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.account_documents import (
    MeDocument,
)
from lineshaft.server.account_requests import OwnPasswordRequest
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import By, Caller, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json
from lineshaft.wire.access import me_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/me", tags=["users"])


@router.get("", responses={200: {"model": MeDocument}}, openapi_extra=needs(Permission.SELF))
async def get_me(caller: Caller, plane: Plane) -> Response:
    """Tell who the caller is, by what that is known, and what they are to which pipelines."""
    grants = await plane.access.users.my_grants(caller)
    token = await plane.access.tokens.shown(caller)
    document = me_document(caller, ((each.grant, each.pipeline) for each in grants), token)
    return Response(to_json(document), media_type=_JSON)


@router.put(
    "/password", status_code=204, openapi_extra=needs(Permission.SELF, required_body(OwnPasswordRequest))
)
async def change_own_password(request: Request, caller: Caller, by: By, plane: Plane) -> Response:
    """Change the caller's own password, which ends their sessions; a token cannot do that."""
    asked = await read_message(request, OwnPasswordRequest)
    await plane.access.users.change_own_password(caller, by, asked.password, asked.new_password)
    return Response(status_code=204)
