"""Caches: listed, and deleted."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.depends import By, Limit, PipelineId, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.kept_documents import CachePage, RemovedCaches
from lineshaft.server.openapi import CACHE_OR_PIPELINE_NOT_FOUND, PIPELINE_NOT_FOUND
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.wire.kept import cache_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/pipelines/{pipeline_id}/caches", tags=["caches"])

CacheId = Annotated[UUID, Path(description="The cache's id.")]
After = Annotated[UUID | None, Query(description="The page before's `next`.")]


@router.get(
    "", responses={200: {"model": CachePage}, **PIPELINE_NOT_FOUND}, openapi_extra=needs(Permission.VIEW)
)
async def list_caches(
    pipeline_id: PipelineId, plane: Plane, limit: Limit = 50, after: After = None
) -> Response:
    """List a pipeline's caches by id."""
    found = await plane.files.caches.page(pipeline_id, after=after, limit=limit + 1)
    shown = found[:limit]
    following = str(shown[-1].artifact.id) if len(found) > limit else None
    return Response(page_json([to_json(cache_document(each)) for each in shown], following), media_type=_JSON)


@router.delete(
    "",
    responses={200: {"model": RemovedCaches}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN),
)
async def delete_caches(pipeline_id: PipelineId, plane: Plane, by: By) -> Response:
    """Delete all caches of a pipeline."""
    deleted = await plane.files.caches.delete_all(pipeline_id, by)
    return Response(to_json({"deleted": deleted}), media_type=_JSON)


@router.delete(
    "/{cache_id}",
    status_code=204,
    responses=CACHE_OR_PIPELINE_NOT_FOUND,
    openapi_extra=needs(Permission.MAINTAIN),
)
async def delete_cache(pipeline_id: PipelineId, cache_id: CacheId, plane: Plane, by: By) -> Response:
    """Delete a cache."""
    await plane.files.caches.delete(pipeline_id, cache_id, by)
    return Response(status_code=204)
