"""The root: a word of welcome, for whoever wonders what answers here."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.documents import (
    Message,
)
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import WITHOUT_CREDENTIALS
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json

router = APIRouter(route_class=GuardedRoute, tags=["health"])

_OPEN: Final = needs(Permission.OPEN, WITHOUT_CREDENTIALS)
_WELCOME: Final = "Welcome to Lineshaft. Its API is described at /docs."


@router.get("/", responses={200: {"model": Message}}, openapi_extra=_OPEN)
@router.head("/", include_in_schema=False, openapi_extra=_OPEN)
async def welcome() -> Response:
    """Say what answers here."""
    return Response(to_json({"message": _WELCOME}), media_type="application/json")
