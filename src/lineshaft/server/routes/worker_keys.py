"""Worker keys: make, list, revoke."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import After, By, Limit, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.server.requests import WorkerKeyRequest
from lineshaft.server.worker_key_documents import NewWorkerKeyDocument, WorkerKeyPage
from lineshaft.wire.fleet import new_worker_key_document, worker_key_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/worker-keys", tags=["workers"])


@router.post(
    "",
    status_code=201,
    responses={201: {"model": NewWorkerKeyDocument}},
    openapi_extra=needs(Permission.ADMIN, required_body(WorkerKeyRequest)),
)
async def create_worker_key(request: Request, plane: Plane, by: By) -> Response:
    """Make a worker key, which is told in this answer and never again."""
    asked = await read_message(request, WorkerKeyRequest)
    key, secret = await plane.fleet.worker_keys.create(
        asked.name,
        worker=asked.worker,
        expires_at=asked.expires_at,
        certificate=asked.certificate,
        kinds=asked.kinds,
        by=by,
    )
    return Response(
        to_json(new_worker_key_document(key, secret)),
        status_code=201,
        headers={"Cache-Control": "no-store"},
        media_type=_JSON,
    )


@router.get("", responses={200: {"model": WorkerKeyPage}}, openapi_extra=needs(Permission.ADMIN))
async def list_worker_keys(plane: Plane, limit: Limit = 50, after: After = None) -> Response:
    """List worker keys by name, without the keys themselves."""
    found = await plane.fleet.worker_keys.page(after=after, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].name if len(found) > limit else None
    items = [to_json(worker_key_document(key)) for key in shown]
    return Response(page_json(items, following), media_type=_JSON)


@router.delete("/{key_id}", status_code=204, openapi_extra=needs(Permission.ADMIN))
async def revoke_worker_key(
    key_id: Annotated[UUID, Path(description="The key's id.")], plane: Plane, by: By
) -> Response:
    """Make a worker key worth nothing."""
    await plane.fleet.worker_keys.revoke(key_id, by=by)
    return Response(status_code=204)
