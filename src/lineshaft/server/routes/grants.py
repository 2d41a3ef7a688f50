"""Grants: who has which role on a pipeline."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.account_documents import (
    GrantDocument,
    GrantPage,
)
from lineshaft.server.account_requests import GrantRequest
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import After, By, Caller, Limit, PipelineId, Plane, UserPath
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import PIPELINE_NOT_FOUND, required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.wire.access import grant_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/pipelines/{pipeline_id}/grants", tags=["users"])


@router.get(
    "",
    responses={200: {"model": GrantPage}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN),
)
async def list_grants(
    pipeline_id: PipelineId, plane: Plane, limit: Limit = 50, after: After = None
) -> Response:
    """List who has which role on a pipeline, by name; those who have one everywhere are not among them."""
    found = await plane.access.grants.page(pipeline_id, after=after, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].user if len(found) > limit else None
    items = [to_json(grant_document(grant)) for grant in shown]
    return Response(page_json(items, following), media_type=_JSON)


@router.put(
    "/{name:path}",
    responses={200: {"model": GrantDocument}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN, required_body(GrantRequest)),
)
async def give_role(
    pipeline_id: PipelineId, name: UserPath, request: Request, *, caller: Caller, by: By, plane: Plane
) -> Response:
    """Give a user a role on a pipeline, in place of the one that they have there."""
    asked = await read_message(request, GrantRequest)
    grant = await plane.access.grants.give(caller, by, pipeline_id, name, asked.role)
    return Response(to_json(grant_document(grant)), media_type=_JSON)


@router.delete(
    "/{name:path}",
    status_code=204,
    responses=PIPELINE_NOT_FOUND,
    openapi_extra=needs(Permission.MAINTAIN),
)
async def take_role(pipeline_id: PipelineId, name: UserPath, by: By, plane: Plane) -> Response:
    """Take a user's role on a pipeline away; the one that they have everywhere stays."""
    await plane.access.grants.take(by, pipeline_id, name)
    return Response(status_code=204)
