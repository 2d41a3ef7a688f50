"""A browser's session: begin one, show it, end it."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lineshaft.model.browser_session import BrowserSession
from lineshaft.model.errors import ForbiddenError, NotFoundError
from lineshaft.model.permission import Permission
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import Plane
from lineshaft.server.documents import SessionDocument
from lineshaft.server.openapi import WITHOUT_CREDENTIALS, required_body
from lineshaft.server.pages.cookies import SESSION, drop_cookie, shown_cookie
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json
from lineshaft.server.requests import SignInRequest
from lineshaft.server.same_site import Site, site_of
from lineshaft.server.signing_in import session_cookie, sign_in_by_password, stranger
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.browser_session import session_document

PATH: Final = "/v1/session"

router = APIRouter(prefix=PATH, tags=["sessions"])

_JSON: Final = "application/json"
_BODY_LIMIT_BYTES: Final = 16 * 1024
_PRIVATE: Final = {"Cache-Control": "no-store"}


@router.post(
    "",
    status_code=201,
    responses={201: {"model": SessionDocument}},
    openapi_extra=needs(Permission.OPEN, WITHOUT_CREDENTIALS | required_body(SignInRequest)),
)
async def begin_session(request: Request, plane: Plane) -> Response:
    """Sign a browser in, and have it keep a cookie; the session that it has shown so far ends."""
    if site_of(request.scope) is Site.OTHER:
        raise ForbiddenError(
            "The request was sent by a page of another site.",
            advice="Sign in from a page of this server, or from a program.",
        )
    asked = await read_message(request, SignInRequest, _BODY_LIMIT_BYTES)
    signed_in = await sign_in_by_password(request, plane, asked.username, asked.password.get_secret_value())
    headers = {**_PRIVATE, "Set-Cookie": session_cookie(request, plane, signed_in)}
    return Response(to_json(session_document(signed_in.session)), 201, headers, media_type=_JSON)


@router.get("", responses={200: {"model": SessionDocument}}, openapi_extra=needs(Permission.SELF))
async def show_session(request: Request, plane: Plane) -> Response:
    """Show the session that the browser shows."""
    session = await _shown(request, plane)
    return Response(to_json(session_document(session)), headers=_PRIVATE, media_type=_JSON)


@router.delete("", status_code=204, openapi_extra=needs(Permission.SELF))
async def end_session(request: Request, plane: Plane) -> Response:
    """Sign the browser out."""
    await _shown(request, plane)
    cookie = shown_cookie(request.scope, SESSION)
    await plane.browser_sessions.sign_out(cookie or "", stranger(request.scope))
    return Response(status_code=204, headers={"Set-Cookie": drop_cookie(request.scope, SESSION)})


async def _shown(request: Request, plane: ControlPlane) -> BrowserSession:
    cookie = shown_cookie(request.scope, SESSION)
    session = None if cookie is None else await plane.browser_sessions.shown(cookie)
    if session is None:
        raise NotFoundError(
            "There is no session: the request shows other credentials, and no session's cookie.",
            advice="GET /v1/me tells who calls.",
        )
    return session
