"""The page at /docs, and the description it shows; nothing of it is loaded from elsewhere."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from lineshaft.model.permission import Permission
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import describe
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

_OPEN: Final = needs(Permission.OPEN)
_MEDIA_TYPES: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_WITHOUT_CREDENTIALS: Final = (
    "url: 'openapi.json'",
    "url: location.origin + new URL('openapi.json', location.href).pathname",
)
"""Browsers refuse to fetch what is relative to an address that a name and password stand in."""

_DAY: Final = {"Cache-Control": "public, max-age=86400"}


@router.get("/openapi.json", openapi_extra=_OPEN)
@router.head("/openapi.json", openapi_extra=_OPEN)
async def openapi(request: Request) -> Response:
    """Describe the API (OpenAPI 3.1)."""
    state = request.app.state
    if not hasattr(state, "openapi"):
        state.openapi = to_json(describe(request.app))
    return Response(state.openapi, media_type="application/json")


@router.get("/docs", openapi_extra=_OPEN)
@router.head("/docs", openapi_extra=_OPEN)
async def docs() -> Response:
    """Show the API, with forms to try it."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Lineshaft",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon-32x32.png",
        swagger_ui_parameters={"deepLinking": True, "persistAuthorization": True},
    )
    return HTMLResponse(bytes(page.body).decode().replace(*_WITHOUT_CREDENTIALS))


@router.get("/docs/{asset}", openapi_extra=_OPEN)
@router.head("/docs/{asset}", openapi_extra=_OPEN)
async def docs_asset(asset: str) -> Response:
    """Send a file of the page."""
    if asset not in _MEDIA_TYPES:
        raise HTTPException(404)
    data = (files("fastapi_swagger") / "resources" / asset).read_bytes()
    return Response(data, headers=_DAY, media_type=_MEDIA_TYPES[asset])
