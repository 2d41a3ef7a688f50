"""A browser's session: begin one, show it, end it."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lineshaft.model.errors import NotFoundError
from lineshaft.model.permission import Permission
from lineshaft.model.principal import Means, Principal
from lineshaft.server.account_documents import (
    SessionDocument,
)
from lineshaft.server.bodies import read_message
from lineshaft.server.cookies import SESSION, cookie_of, drop_cookie
from lineshaft.server.depends import By, Caller, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import WITHOUT_CREDENTIALS, required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json
from lineshaft.server.session_request import SignInRequest
from lineshaft.server.signing_in import session_cookie, sign_in_by_password
from lineshaft.wire.browser_session import session_document

PATH: Final = "/v1/session"

router = APIRouter(route_class=GuardedRoute, prefix=PATH, tags=["sessions"])

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
    asked = await read_message(request, SignInRequest, _BODY_LIMIT_BYTES)
    signed_in = await sign_in_by_password(request, plane, asked.username, asked.password.get_secret_value())
    headers = {**_PRIVATE, "Set-Cookie": session_cookie(request, plane, signed_in)}
    return Response(to_json(session_document(signed_in.session)), 201, headers, media_type=_JSON)


@router.get("", responses={200: {"model": SessionDocument}}, openapi_extra=needs(Permission.SELF))
async def show_session(request: Request, caller: Caller, plane: Plane) -> Response:
    """Show the session that the browser shows."""
    cookie = _cookie(request, caller)
    session = await plane.access.browser_sessions.of_cookie(cookie)
    if session is None:
        raise _no_session()
    return Response(to_json(session_document(session)), headers=_PRIVATE, media_type=_JSON)


@router.delete("", status_code=204, openapi_extra=needs(Permission.SELF))
async def end_session(request: Request, caller: Caller, by: By, plane: Plane) -> Response:
    """Sign the browser out."""
    await plane.access.browser_sessions.sign_out(_cookie(request, caller), by)
    return Response(status_code=204, headers={"Set-Cookie": drop_cookie(request.scope, SESSION)})


def _cookie(request: Request, caller: Principal) -> bytes:
    cookie = cookie_of(request.scope)
    if caller.means is not Means.SESSION or cookie is None:
        raise _no_session()
    return cookie


def _no_session() -> NotFoundError:
    return NotFoundError(
        "There is no session: the request shows other credentials, and no session's cookie.",
        advice="Sign in with POST /v1/session first.",
    )
