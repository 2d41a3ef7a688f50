"""Deliveries: forges call here, and whoever wants to know sees what came of it."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.delivery_documents import DeliveryDocument, DeliveryPage
from lineshaft.server.depends import By, Caller, Limit, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.services.sources.deliveries import DeliveryFilter
from lineshaft.wire.delivery import delivery_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/deliveries", tags=["deliveries"])

DeliveryId = Annotated[UUID, Path(description="The delivery's id.")]
Before = Annotated[UUID | None, Query(description="The page before's `next`.")]
OfPipeline = Annotated[UUID | None, Query(description="Only those of which something came for it.")]


@router.get("", responses={200: {"model": DeliveryPage}}, openapi_extra=needs(Permission.VIEW, filtered=True))
async def list_deliveries(
    plane: Plane, caller: Caller, *, pipeline: OfPipeline = None, limit: Limit = 50, before: Before = None
) -> Response:
    """List what came in, newest first; of pipelines that the caller may not see nothing is told."""
    of = DeliveryFilter(pipeline, caller.visible)
    found = await plane.sources.deliveries.page(of, before=before, limit=limit + 1)
    shown = found[:limit]
    following = str(shown[-1].id) if len(found) > limit else None
    return Response(
        page_json([to_json(delivery_document(each)) for each in shown], following), media_type=_JSON
    )


@router.get(
    "/{delivery_id}",
    responses={200: {"model": DeliveryDocument}},
    openapi_extra=needs(Permission.VIEW, filtered=True),
)
async def get_delivery(plane: Plane, caller: Caller, delivery_id: DeliveryId) -> Response:
    """Show what came in, and what came of it."""
    found = await plane.sources.deliveries.get(delivery_id, caller.visible)
    return Response(to_json(delivery_document(found)), media_type=_JSON)


@router.post(
    "/{delivery_id}/redeliver",
    status_code=202,
    responses={202: {"model": DeliveryDocument}},
    openapi_extra=needs(Permission.ADMIN),
)
async def redeliver(request: Request, plane: Plane, by: By, delivery_id: DeliveryId) -> Response:
    """See to a delivery once more, as a delivery of its own."""
    made = await plane.sources.deliveries.redeliver(delivery_id, by=by)
    headers = {"Location": f"{request.url.path.partition('/deliveries/')[0]}/deliveries/{made.id}"}
    return Response(to_json(delivery_document(made)), status_code=202, media_type=_JSON, headers=headers)
