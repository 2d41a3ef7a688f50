"""The sign-in page, and the way to the OpenID Connect provider and back."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from lineshaft.model.errors import (
    BadCredentialsError,
    ForbiddenError,
    InvalidInputError,
    LineshaftError,
    SignInRefusedError,
    TooManyAttemptsError,
    UnavailableError,
)
from lineshaft.model.permission import Permission
from lineshaft.server.access import refuse_the_silent
from lineshaft.server.bodies import read_body
from lineshaft.server.cookies import SESSION, TICKET, cookie_of, drop_cookie, set_cookie
from lineshaft.server.depends import Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.pages.destination import destination, reference
from lineshaft.server.pages.headers import page_headers
from lineshaft.server.pages.sign_in import (
    PATH,
    PROVIDER_PATH,
    RETURN_PATH,
    SIGN_OUT,
    Fault,
    SignedInPage,
    SignInPage,
    asset,
)
from lineshaft.server.permissions import needs
from lineshaft.server.problems import ANSWERS
from lineshaft.server.signing_in import session_cookie, sign_in_by_password, stranger
from lineshaft.services.access.browser_sessions import SignedIn
from lineshaft.services.access.provider_sign_in import TICKET_LIFETIME, ProviderSignIn
from lineshaft.services.control_plane import ControlPlane

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

_OPEN: Final = needs(Permission.OPEN)
_FORM_LIMIT_BYTES: Final = 32 * 1024
_MOST_FIELDS: Final = 20
_LONGEST_NAME: Final = 255
_DAY: Final = {"Cache-Control": "public, max-age=86400"}

_FAULTS: Final = (
    BadCredentialsError,
    ForbiddenError,
    InvalidInputError,
    SignInRefusedError,
    TooManyAttemptsError,
    UnavailableError,
)
"""What the page itself tells of, in its own words or the error's."""


@router.get(PATH, openapi_extra=_OPEN)
@router.head(PATH, openapi_extra=_OPEN)
async def sign_in_page(request: Request, plane: Plane) -> Response:
    """Show the page, or who is signed in."""
    following = destination(request.query_params.get("next"))
    name = await _signed_in_name(request, plane)
    if name is not None:
        return _shown(SignedInPage(PATH, following, name).html())
    return _shown(_page(plane, PATH, following).html())


@router.post(PATH, openapi_extra=_OPEN)
async def sign_in(request: Request, plane: Plane) -> Response:
    """Sign in by the page's form, or out."""
    page = _page(plane, PATH, destination(None))
    try:
        form = await _form(request)
        page = replace(
            page, following=destination(form.get("next")), name=form.get("username", "")[:_LONGEST_NAME]
        )
        # Another site could sign somebody in under a name of its own otherwise.
        refuse_the_silent(request.scope)
        if form.get("do") == SIGN_OUT:
            return await _signed_out(request, plane)
        signed_in = await _checked(request, plane, form)
    except _FAULTS as error:
        return _failed(page, error)
    return _signed_in(request, plane, signed_in, page.following)


@router.get(PROVIDER_PATH, openapi_extra=_OPEN)
async def sign_in_at_provider(request: Request, plane: Plane) -> Response:
    """Send a browser to the provider."""
    following = destination(request.query_params.get("next"))
    try:
        departure = await _provider(plane).depart(following)
    except UnavailableError as error:
        return _failed(_page(plane, PROVIDER_PATH, following), error)
    ticket = set_cookie(request.scope, TICKET, departure.ticket, TICKET_LIFETIME)
    headers = page_headers({"Set-Cookie": ticket})
    return RedirectResponse(departure.url, HTTPStatus.SEE_OTHER, headers)


@router.get(RETURN_PATH, openapi_extra=_OPEN)
async def back_from_provider(request: Request, plane: Plane) -> Response:
    """Sign in who comes back from the provider."""
    provider = _provider(plane)
    scope = request.scope
    pairs = request.query_params.multi_items()
    # RFC 6749, section 3.1: none may come twice, so that no two readers take different ones.
    answer = dict(pairs) if len(dict(pairs)) == len(pairs) else {}
    try:
        signed_in, following = await provider.arrive(
            cookie_of(scope, TICKET), answer, stranger(scope), former=cookie_of(scope)
        )
    except _FAULTS as error:
        following = destination(provider.destination_of(cookie_of(scope, TICKET)))
        response = _failed(_page(plane, RETURN_PATH, following), error)
    else:
        response = _signed_in(request, plane, signed_in, following)
    response.headers.append("Set-Cookie", drop_cookie(scope, TICKET))
    return response


@router.get("/sign-in/{name}", openapi_extra=_OPEN)
@router.head("/sign-in/{name}", openapi_extra=_OPEN)
async def sign_in_asset(name: str) -> Response:
    """Send a file of the page."""
    found = asset(name)
    if found is None:
        raise HTTPException(404)
    content, media_type = found
    return Response(content, headers=page_headers(_DAY), media_type=media_type)


async def _signed_in_name(request: Request, plane: ControlPlane) -> str | None:
    cookie = cookie_of(request.scope)
    if cookie is None:
        return None
    try:
        principal, _ = await plane.access.authentication.by_session(cookie)
    except BadCredentialsError:
        return None
    return principal.name


def _page(plane: ControlPlane, path: str, following: str) -> SignInPage:
    provider = plane.access.provider_sign_in
    return SignInPage(path, following, None if provider is None else provider.label)


def _provider(plane: ControlPlane) -> ProviderSignIn:
    if plane.access.provider_sign_in is None:
        raise HTTPException(404)
    return plane.access.provider_sign_in


async def _form(request: Request) -> Mapping[str, str]:
    body = await read_body(request, _FORM_LIMIT_BYTES)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise InvalidInputError(
            "The form cannot be read.", advice="Fill it in again, and send it from this page."
        ) from None
    return dict(pairs)


async def _checked(request: Request, plane: ControlPlane, form: Mapping[str, str]) -> SignedIn:
    name, password = form.get("username", ""), form.get("password", "")
    if "\0" in name or not name or not password:
        raise BadCredentialsError
    return await sign_in_by_password(request, plane, name, password)


def _signed_in(request: Request, plane: ControlPlane, signed_in: SignedIn, following: str) -> Response:
    headers = page_headers({"Set-Cookie": session_cookie(request, plane, signed_in)})
    return RedirectResponse(reference(request.url.path, following), HTTPStatus.SEE_OTHER, headers)


async def _signed_out(request: Request, plane: ControlPlane) -> Response:
    cookie = cookie_of(request.scope)
    if cookie is not None:
        await plane.access.browser_sessions.sign_out(cookie, stranger(request.scope))
    headers = page_headers({"Set-Cookie": drop_cookie(request.scope, SESSION)})
    return RedirectResponse(reference(PATH, PATH), HTTPStatus.SEE_OTHER, headers)


def _shown(html: str, status: HTTPStatus = HTTPStatus.OK, more: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(html, status, page_headers(more))


def _failed(page: SignInPage, error: LineshaftError) -> Response:
    """Show the page again, with what is wrong."""
    answer = ANSWERS[type(error)]
    if isinstance(error, BadCredentialsError):
        # A status of 401 would have to come with a way of signing in that this page is there to replace.
        fault = Fault(f"{error.message}.", error.advice, of_fields=True)
        return _shown(replace(page, fault=fault).html(), HTTPStatus.FORBIDDEN)
    more = dict(answer.headers or {})
    if isinstance(error, TooManyAttemptsError):
        more["Retry-After"] = str(error.retry_after_seconds)
    return _shown(replace(page, fault=Fault(error.message, error.advice)).html(), answer.status, more)
