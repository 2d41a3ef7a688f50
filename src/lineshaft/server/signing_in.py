"""Signing a browser in: what the page and the API have in common."""

from starlette.requests import Request
from starlette.types import Scope

from lineshaft.model.principal import Actor, Means
from lineshaft.server.access import REQUEST_ID, address_of
from lineshaft.server.cookies import SESSION, cookie_of, set_cookie
from lineshaft.services.access.browser_sessions import SignedIn
from lineshaft.services.control_plane import ControlPlane


def stranger(scope: Scope) -> Actor:
    """Tell from where somebody calls who has not said yet who they are."""
    return Actor("", Means.SESSION, address_of(scope), scope.get(REQUEST_ID, ""))


async def sign_in_by_password(request: Request, plane: ControlPlane, name: str, password: str) -> SignedIn:
    """Begin a session for a browser; the one that it has shown so far ends.

    Raises:
        BadCredentialsError: name or password is wrong.
        TooManyAttemptsError: too many wrong ones came from there.
    """
    by = stranger(request.scope)
    user = await plane.access.credentials.check(name, password, by.address)
    return await plane.access.browser_sessions.sign_in(user, by, former=cookie_of(request.scope))


def session_cookie(request: Request, plane: ControlPlane, signed_in: SignedIn) -> str:
    """Write the header that has a browser keep its session."""
    return set_cookie(request.scope, SESSION, signed_in.cookie, plane.access.browser_sessions.times.lifetime)
