"""The root: a word of welcome, for whoever wonders what answers here."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from lineshaft.server.documents import Message
from lineshaft.server.openapi import WITHOUT_CREDENTIALS
from lineshaft.server.rendering import to_json

router = APIRouter(tags=["health"])

_WELCOME: Final = "Welcome to Lineshaft. Its API is described at /docs."


@router.get("/", responses={200: {"model": Message}}, openapi_extra=WITHOUT_CREDENTIALS)
@router.head("/", include_in_schema=False)
async def welcome() -> Response:
    """Say what answers here."""
    return Response(to_json({"message": _WELCOME}), media_type="application/json")
