"""Health: whether the process is alive, and whether it can serve."""

import asyncio
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from lineshaft.model.errors import StoreUnavailableError
from lineshaft.model.permission import Permission
from lineshaft.server.depends import Plane
from lineshaft.server.documents import (
    Health,
)
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import WITHOUT_CREDENTIALS
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json

router = APIRouter(route_class=GuardedRoute, tags=["health"])

_OPEN: Final = needs(Permission.OPEN, WITHOUT_CREDENTIALS)
_PATIENCE_SECONDS: Final = 2.0


@router.get("/health", responses={200: {"model": Health}}, openapi_extra=_OPEN)
@router.head("/health", include_in_schema=False, openapi_extra=_OPEN)
async def health() -> Response:
    """Tell that the process is alive."""
    return _ok()


@router.get("/ready", responses={200: {"model": Health}}, openapi_extra=_OPEN)
@router.head("/ready", include_in_schema=False, openapi_extra=_OPEN)
async def ready(plane: Plane) -> Response:
    """Tell that the database answers; 503 where it does not."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await plane.pipelines.page(name=None, after=None, limit=1)
    except TimeoutError:
        raise StoreUnavailableError(
            f"The database did not answer within {_PATIENCE_SECONDS:g} seconds.",
            advice="Try again in a moment.",
        ) from None
    return _ok()


def _ok() -> Response:
    return Response(to_json({"status": "ok"}), media_type="application/json")
