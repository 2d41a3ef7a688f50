"""Statuses of commits: what a forge is told of a run."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from lineshaft.definition.repository import without_credentials
from lineshaft.model.permission import Permission
from lineshaft.server.depends import Plane, RunId
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json
from lineshaft.server.status_documents import StatusList
from lineshaft.wire.status import status_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, tags=["runs"])


@router.get(
    "/v1/runs/{run_id}/statuses",
    responses={200: {"model": StatusList}},
    openapi_extra=needs(Permission.VIEW),
)
async def list_statuses(run_id: RunId, plane: Plane) -> Response:
    """List what a forge is told of a run; nothing where none wants to know."""
    await plane.runs.get(run_id)
    found = [status_document(each) for each in await plane.statuses.of_run(run_id)]
    shown = [{**each, "repository": without_credentials(each["repository"])} for each in found]
    return Response(to_json({"items": shown}), media_type=_JSON)
