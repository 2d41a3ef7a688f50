"""Approvals: what a held run would work on, and letting it begin."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import By, Plane, RunId, Runs
from lineshaft.server.documents import ChangedDocument, RunDocument
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import Responses, required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json
from lineshaft.server.requests import ApproveRequest

_JSON: Final = "application/json"
_ACCEPTED: Final[Responses] = {202: {"model": RunDocument}}

router = APIRouter(route_class=GuardedRoute, prefix="/v1", tags=["runs"])


@router.get(
    "/runs/{run_id}/changed",
    responses={200: {"model": ChangedDocument}},
    openapi_extra=needs(Permission.VIEW),
)
async def get_changed(run_id: RunId, runs: Runs) -> Response:
    """Read which paths the change touches that a run works on."""
    run = await runs.service.get(run_id)
    changeset = None if run.source is None else run.source.changeset
    document = {"changed": None if changeset is None else list(changeset)}
    return Response(to_json(document), media_type=_JSON)


@router.post(
    "/runs/{run_id}/approve",
    status_code=202,
    responses=_ACCEPTED,
    openapi_extra=needs(Permission.APPROVE, required_body(ApproveRequest)),
)
async def approve_run(run_id: RunId, request: Request, plane: Plane, runs: Runs, by: By) -> Response:
    """Let a held run begin: the approval is for the commit that is said, and for no other."""
    asked = await read_message(request, ApproveRequest)
    run = await plane.approvals.approve(run_id, asked.commit, by)
    headers = {"Location": f"/v1/runs/{run.id}"}
    return Response(runs.renderings.of(run), 202, headers, media_type=_JSON)
