"""Webhooks: forges call here. A call's signature is its credential."""

from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Path, Request
from starlette.responses import Response

from lineshaft.model.connection import ForgeKind
from lineshaft.model.permission import Permission
from lineshaft.ports.forge import Webhook
from lineshaft.server.bodies import read_body
from lineshaft.server.delivery_documents import ReceivedDelivery
from lineshaft.server.depends import Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import WITHOUT_CREDENTIALS
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json

WEBHOOK_LIMIT_BYTES: Final = 25 * 1024 * 1024
"""How long a webhook's body may be; the largest that a forge sends (GitHub) is no longer."""

router = APIRouter(route_class=GuardedRoute, prefix="/v1/webhooks", tags=["webhooks"])

_FORGES: Final = {kind.value: kind for kind in ForgeKind if kind is not ForgeKind.GIT}
_BODY: Final = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}

Kind = Annotated[
    str,
    Path(description="Whose words the forge speaks.", json_schema_extra={"enum": list(_FORGES)}),
]


@router.post(
    "/{kind}",
    status_code=202,
    responses={202: {"model": ReceivedDelivery}},
    openapi_extra=needs(Permission.OPEN, {**WITHOUT_CREDENTIALS, "requestBody": _BODY}),
)
async def receive(request: Request, plane: Plane, kind: Kind) -> Response:
    """Keep what a forge tells, whose signature is checked; what follows from it follows in the background."""
    forge = _FORGES.get(kind)
    if forge is None:
        raise HTTPException(404)
    body = await read_body(request, WEBHOOK_LIMIT_BYTES)
    # Of a header that comes twice none is to be believed more than the other.
    headers = {name: ", ".join(request.headers.getlist(name)) for name in request.headers}
    delivery = await plane.sources.deliveries.receive(forge, Webhook(headers, body))
    said = {"id": str(delivery.id), "state": delivery.state.value, "text": delivery.text or None}
    return Response(to_json(said), status_code=202, media_type="application/json")
