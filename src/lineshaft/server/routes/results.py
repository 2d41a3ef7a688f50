"""Results: what the tasks of a run have found."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lineshaft.model.artifact import ArtifactKind
from lineshaft.model.permission import Permission
from lineshaft.server.depends import AttemptNumber, FilePath, KeptName, Limit, Offset, Plane, RunId
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.kept_documents import ResultPage
from lineshaft.server.kept_files import KEPT_FILE, answer_file
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.wire.kept import result_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/runs/{run_id}/results", tags=["results"])


@router.get("", responses={200: {"model": ResultPage}}, openapi_extra=needs(Permission.VIEW))
async def list_results(
    run_id: RunId, plane: Plane, *, attempt: AttemptNumber = None, limit: Limit = 50, after: Offset = 0
) -> Response:
    """List what the nodes of a run have kept as results."""
    found = await plane.files.shown.list(
        run_id, ArtifactKind.RESULT, attempt=attempt, offset=after, limit=limit + 1
    )
    items = [to_json(result_document(run_id, each.artifact, each.tests)) for each in found[:limit]]
    return Response(page_json(items, after + limit if len(found) > limit else None), media_type=_JSON)


@router.get("/{name:path}/files/{file:path}", responses=KEPT_FILE, openapi_extra=needs(Permission.VIEW))
@router.head("/{name:path}/files/{file:path}", include_in_schema=False, openapi_extra=needs(Permission.VIEW))
async def get_result_file(
    run_id: RunId,
    name: KeptName,
    file: FilePath,
    request: Request,
    *,
    plane: Plane,
    attempt: AttemptNumber = None,
) -> Response:
    """Read one file of a result that is an archive, or a folder of it as an archive of its own."""
    found = await plane.files.shown.find(run_id, ArtifactKind.RESULT, f"{name}/files/{file}", attempt)
    return await answer_file(request, plane.files.shown, found)


@router.get("/{name:path}", responses=KEPT_FILE, openapi_extra=needs(Permission.VIEW))
@router.head("/{name:path}", include_in_schema=False, openapi_extra=needs(Permission.VIEW))
async def get_result(
    run_id: RunId, name: KeptName, request: Request, plane: Plane, *, attempt: AttemptNumber = None
) -> Response:
    """Read a result: a file as it is; several files, or a folder, as a ZIP archive."""
    found = await plane.files.shown.find(run_id, ArtifactKind.RESULT, name, attempt)
    return await answer_file(request, plane.files.shown, found)
