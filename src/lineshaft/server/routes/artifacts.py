"""Artifacts: what the tasks of a run have made."""

from typing import Final

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from lineshaft.model.artifact import ArtifactKind
from lineshaft.model.permission import Permission
from lineshaft.server.depends import AttemptNumber, By, FilePath, KeptName, Limit, Offset, Plane, RunId
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.kept_documents import ArtifactPage
from lineshaft.server.kept_files import KEPT_FILE, answer_file
from lineshaft.server.methods import NOT_SERVED
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.wire.kept import artifact_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/runs/{run_id}/artifacts", tags=["artifacts"])


@router.get("", responses={200: {"model": ArtifactPage}}, openapi_extra=needs(Permission.VIEW))
async def list_artifacts(
    run_id: RunId, plane: Plane, *, attempt: AttemptNumber = None, limit: Limit = 50, after: Offset = 0
) -> Response:
    """List what the nodes of a run have kept as artifacts."""
    found = await plane.files.shown.list(
        run_id, ArtifactKind.ARTIFACT, attempt=attempt, offset=after, limit=limit + 1
    )
    items = [
        to_json(artifact_document(run_id, each.artifact, expired=each.expired)) for each in found[:limit]
    ]
    return Response(page_json(items, after + limit if len(found) > limit else None), media_type=_JSON)


@router.get("/{name:path}/files/{file:path}", responses=KEPT_FILE, openapi_extra=needs(Permission.VIEW))
@router.head("/{name:path}/files/{file:path}", include_in_schema=False, openapi_extra=needs(Permission.VIEW))
async def get_artifact_file(
    run_id: RunId,
    name: KeptName,
    file: FilePath,
    request: Request,
    *,
    plane: Plane,
    attempt: AttemptNumber = None,
) -> Response:
    """Read one file of an artifact, or a folder of it as an archive of its own."""
    found = await plane.files.shown.find(run_id, ArtifactKind.ARTIFACT, f"{name}/files/{file}", attempt)
    return await answer_file(request, plane.files.shown, found)


@router.get("/{name:path}", responses=KEPT_FILE, openapi_extra=needs(Permission.VIEW))
@router.head("/{name:path}", include_in_schema=False, openapi_extra=needs(Permission.VIEW))
async def get_artifact(
    run_id: RunId, name: KeptName, request: Request, plane: Plane, *, attempt: AttemptNumber = None
) -> Response:
    """Read an artifact: a ZIP archive."""
    found = await plane.files.shown.find(run_id, ArtifactKind.ARTIFACT, name, attempt)
    return await answer_file(request, plane.files.shown, found)


@router.delete(
    "/{name:path}/files/{file:path}",
    include_in_schema=False,
    name=NOT_SERVED,
    openapi_extra=needs(Permission.MAINTAIN),
)
async def refuse_to_delete_a_file(
    run_id: RunId,  # noqa: ARG001 - what can be asked for is refused, not called wrong.
    name: KeptName,  # noqa: ARG001 - as above.
    file: FilePath,  # noqa: ARG001 - as above.
    *,
    attempt: AttemptNumber = None,  # noqa: ARG001 - as above.
) -> Response:
    """Keep a file of an artifact from being taken for an artifact."""
    raise HTTPException(405)


@router.delete("/{name:path}", status_code=204, openapi_extra=needs(Permission.MAINTAIN))
async def delete_artifact(
    run_id: RunId, name: KeptName, plane: Plane, by: By, *, attempt: AttemptNumber = None
) -> Response:
    """Delete an artifact before its time."""
    await plane.files.shown.delete(run_id, name, attempt, by)
    return Response(status_code=204)
