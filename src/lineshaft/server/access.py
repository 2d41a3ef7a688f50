"""Who calls, and whether it is them and no other site's page.

Users are known by basic authentication (RFC 7617), by a token of theirs (RFC 6750), or by the cookie of a
browser that they have signed in with; workers by their keys, as bearer tokens too.
"""

import base64
import binascii
import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from lineshaft.model.errors import BadCredentialsError, BadWorkerKeyError, ForbiddenError, LineshaftError
from lineshaft.model.principal import Actor, Means, Principal
from lineshaft.model.worker_key import INSIDE, WorkerCaller
from lineshaft.server.cookies import shown_cookie
from lineshaft.server.problems import problem_response
from lineshaft.server.to_sign_in import to_sign_in
from lineshaft.services.access.authentication import TOKEN_PREFIX
from lineshaft.services.access.proof import Proof
from lineshaft.services.control_plane import ControlPlane

_READING: Final = frozenset({"GET", "HEAD"})
_FOR_WORKERS: Final = "/v1/worker/"
"""What the paths begin with that a worker key opens."""

CALLER: Final = "worker_caller"
"""Where a request's scope tells who calls the worker protocol."""

PRINCIPAL: Final = "principal"
"""Where a request's scope holds the user who calls; not where a worker key was shown, or nothing."""

PROOF: Final = "proof"
"""Where it holds what that user has shown."""

ACTOR: Final = "actor"
"""Where a request's scope tells who calls, for the audit log."""

REQUEST_ID: Final = "request_id"
"""Where a request's scope tells its id, where it has one."""

CERTIFICATE: Final = "client_certificate"
"""Where a request's scope tells the SHA-256 thumbprint, in hexadecimal, of the client certificate that the
connection was made with, where it was made with one.
"""

_PORT: Final = re.compile(r":[0-9]*$")


class Open(Protocol):
    """Tells what may be called without credentials."""

    def include(self, method: str, path: str) -> bool:
        """Tell whether this may be."""
        ...


class Access:
    """Finds out who calls, and refuses whoever is nobody, whatever route the request is for.

    It stands before the routes, so that a route cannot be left open by mistake. What the caller may do there
    is seen by the routes themselves; see `guarded_route`.
    """

    def __init__(self, app: ASGIApp, *, open_routes: Open, local_names_only: bool) -> None:
        """Stand before an app.

        Args:
            app: what serves the requests.
            open_routes: what may be called without credentials.
            local_names_only: whether to answer only who calls the server by an address or as localhost.
        """
        self._app = app
        self._open_routes = open_routes
        self._local_names_only = local_names_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; who calls is left in the scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if self._open_routes.include(scope["method"], scope["path"]):
                self._refuse_pages_elsewhere(scope)
            else:
                await self._identify(scope)
        except LineshaftError as error:
            page = to_sign_in(scope) if isinstance(error, BadCredentialsError) else None
            await (page or problem_response(error))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _identify(self, scope: Scope) -> None:
        plane: ControlPlane = scope["app"].state.control_plane
        authorization = cookies = None
        for key, value in scope["headers"]:
            if key == b"authorization":
                authorization = authorization or value
            elif key == b"cookie":
                cookies = cookies or value
        if authorization is not None:
            scheme, _, shown = authorization.partition(b" ")
            if scheme.lower() == b"bearer":
                await _by_bearer(scope, shown.strip(), plane)
            else:
                await self._by_password(scope, scheme, shown, plane)
        else:
            cookie = None if cookies is None else shown_cookie(scope, cookies)
            if cookie is None:
                raise BadCredentialsError
            await self._by_session(scope, cookie, plane)

    async def _by_password(self, scope: Scope, scheme: bytes, encoded: bytes, plane: ControlPlane) -> None:
        name, password = _credentials(scheme, encoded)
        address = address_of(scope)
        principal, proof = await plane.access.authentication.by_password(name, password, address)
        _leave(scope, principal, proof, address)
        self._refuse_pages_elsewhere(scope)

    async def _by_session(self, scope: Scope, cookie: bytes, plane: ControlPlane) -> None:
        principal, proof = await plane.access.authentication.by_session(cookie)
        _leave(scope, principal, proof, address_of(scope))
        self._refuse_pages_elsewhere(scope)
        if scope["method"] not in _READING:
            refuse_the_silent(scope)

    def _refuse_pages_elsewhere(self, scope: Scope) -> None:
        """Refuse what another site's page makes a browser send."""
        is_reading = scope["method"] in _READING
        if self._local_names_only and not (is_reading and PRINCIPAL not in scope):
            _refuse_other_names(scope)
        if not is_reading:
            _refuse_other_sites(scope)


async def _by_bearer(scope: Scope, shown: bytes, plane: ControlPlane) -> None:
    address, certificate = address_of(scope), scope.get(CERTIFICATE)
    is_for_workers = scope["path"].startswith(_FOR_WORKERS)
    if shown.startswith(TOKEN_PREFIX):
        try:
            principal, proof = await plane.access.authentication.by_token(shown, address, certificate)
        except BadCredentialsError as error:
            if error.needs_certificate or not is_for_workers:
                raise
            # A worker is told of the credentials that would do where it calls.
            raise BadWorkerKeyError from None
        _leave(scope, principal, proof, address)
    else:
        scope[CALLER] = caller = await _worker_caller(shown, address, certificate, plane, is_for_workers)
        scope[ACTOR] = Actor(
            caller.worker or "", Means.WORKER_KEY, address, scope.get(REQUEST_ID, ""), caller.key_id
        )
    if scope["method"] not in _READING:
        _refuse_other_sites(scope)


async def _worker_caller(
    key: bytes, address: str, certificate: str | None, plane: ControlPlane, is_for_workers: bool
) -> WorkerCaller:
    try:
        caller = await plane.fleet.worker_keys.caller(key, certificate)
    except BadWorkerKeyError:
        plane.access.authentication.refuse(Means.WORKER_KEY, address)
        if is_for_workers:
            raise
        # Whoever calls anything else is told of the credentials that would do there.
        raise BadCredentialsError from None
    if not is_for_workers:
        raise ForbiddenError(
            f"A worker key opens what is below {_FOR_WORKERS} and nothing else.",
            advice="Call this with a user's name and password, or a token.",
        )
    return caller


def _leave(scope: Scope, principal: Principal, proof: Proof, address: str) -> None:
    scope[PRINCIPAL] = principal
    scope[PROOF] = proof
    scope[ACTOR] = Actor(
        principal.name, principal.means, address, scope.get(REQUEST_ID, ""), principal.credential_id
    )
    scope[CALLER] = INSIDE


def _credentials(scheme: bytes, encoded: bytes) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadCredentialsError from None
    name, colon, password = decoded.partition(":")
    # No user has such a name, and not every database can be asked for it.
    if scheme.lower() != b"basic" or not colon or "\0" in name:
        raise BadCredentialsError
    return name, password


def _refuse_other_sites(scope: Scope) -> None:
    """Refuse what another site's page makes a browser send with the credentials that it remembers.

    Browsers say where a request comes from (W3C Fetch Metadata; the Origin header where that is missing),
    and programs do not.
    """
    site = _header(scope, b"sec-fetch-site")
    if site is not None:
        if site in (b"same-origin", b"none"):
            return
    else:
        origin = _header(scope, b"origin")
        if origin is None or (_host(origin) and _host(origin) == (_header(scope, b"host") or b"").lower()):
            return
    raise ForbiddenError(
        "The request was sent by a page of another site.",
        advice="Call the API from a program, or from a page of this server.",
    )


def refuse_the_silent(scope: Scope) -> None:
    """Refuse a browser that does not say that one of this server's own pages sends the request.

    Its cookie comes along whatever page has it sent, and `SameSite` alone knows no ports.

    Raises:
        ForbiddenError: it does not.
    """
    site = _header(scope, b"sec-fetch-site")
    if site == b"same-origin" or (site is None and _header(scope, b"origin") is not None):
        return
    raise ForbiddenError(
        "The request does not say that a page of this server sends it.",
        advice="Call the API with a token instead of a browser's cookie.",
    )


def _host(origin: bytes) -> bytes:
    return origin.lower().partition(b"://")[2]


def _refuse_other_names(scope: Scope) -> None:
    """Refuse pages whose own name leads to this machine (DNS rebinding) and that know the default password.

    To a browser such a page and the server are one site. An address cannot be made to lead elsewhere, and
    localhost is nobody else's name.
    """
    host = _header(scope, b"host")
    if host is not None and not _is_local(host):
        raise ForbiddenError(
            "With its default credentials the server is to be called by its address or as localhost.",
            advice="Set LINESHAFT_PASSWORD (and LINESHAFT_USERNAME) to call it by another name.",
        )


@lru_cache(maxsize=64)
def _is_local(host: bytes) -> bool:
    name = _PORT.sub("", host.decode("latin-1").lower())
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def address_of(scope: Scope) -> str:
    """Tell the network address that a call comes from; empty where it comes from none."""
    client = scope.get("client")
    return "" if client is None else str(client[0])


def _header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None
