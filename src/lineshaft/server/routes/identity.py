"""Identity: what those ask for, without credentials, who verify the identity tokens of tasks."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.depends import Plane
from lineshaft.server.documents import (
    IssuerDocument,
    PublicKeysDocument,
)
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import WITHOUT_CREDENTIALS
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json
from lineshaft.services.secrets.identity import DISCOVERY_PATH, KEYS_PATH

router = APIRouter(route_class=GuardedRoute, tags=["identity"])


_OPEN: Final = needs(Permission.OPEN, WITHOUT_CREDENTIALS)

_CACHED: Final = {"cache-control": "public, max-age=300"}
"""Far shorter than a key is public before it signs."""


@router.get(DISCOVERY_PATH, responses={200: {"model": IssuerDocument}}, openapi_extra=_OPEN)
@router.head(DISCOVERY_PATH, include_in_schema=False, openapi_extra=_OPEN)
async def issuer(plane: Plane) -> Response:
    """Tell how identity tokens are verified; 404 where this server issues none."""
    return _answer(dict(plane.secrets.identity.configuration()))


@router.get(KEYS_PATH, responses={200: {"model": PublicKeysDocument}}, openapi_extra=_OPEN)
@router.head(KEYS_PATH, include_in_schema=False, openapi_extra=_OPEN)
async def public_keys(plane: Plane) -> Response:
    """List the public keys that verify identity tokens."""
    return _answer({"keys": [dict(key) for key in await plane.secrets.identity.public_keys()]})


def _answer(document: dict[str, object]) -> Response:
    return Response(to_json(document), media_type="application/json", headers=_CACHED)
