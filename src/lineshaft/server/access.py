"""Who may call: users by basic authentication (RFC 7617), workers by their keys as bearer tokens (RFC 6750).

And nothing that other sites' pages make a browser send.
"""

import base64
import binascii
import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from lineshaft.model.errors import BadCredentialsError, BadWorkerKeyError, ForbiddenError, LineshaftError
from lineshaft.model.principal import Actor, Means, Principal
from lineshaft.model.role import Roles
from lineshaft.model.user import User
from lineshaft.model.worker_key import INSIDE, WorkerCaller
from lineshaft.server.problems import problem_response
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.credentials import CredentialService
from lineshaft.services.worker_keys import WorkerKeyService

_READING: Final = frozenset({"GET", "HEAD"})
_FOR_WORKERS: Final = "/v1/worker/"
"""What the paths begin with that a worker key opens."""

CALLER: Final = "worker_caller"
"""Where a request's scope tells who calls the worker protocol."""

PRINCIPAL: Final = "principal"
"""Where a request's scope holds the user who calls."""

ACTOR: Final = "actor"
"""Where a request's scope tells who calls, for the audit log."""

_PORT: Final = re.compile(r":[0-9]*$")


class Access:
    """Lets only those requests through that may be served, whatever route they are for.

    It stands before the routes, so that a route cannot be left open by mistake.
    """

    def __init__(self, app: ASGIApp, *, open_paths: frozenset[str], local_names_only: bool) -> None:
        """Stand before an app.

        Args:
            app: what serves the requests.
            open_paths: what may be read without credentials.
            local_names_only: whether to answer only who calls the server by an address or as localhost.
        """
        self._app = app
        self._open_paths = open_paths
        self._local_names_only = local_names_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; its user, or who calls the worker protocol, is left in the scope."""
        if scope["type"] != "http" or (scope["path"] in self._open_paths and scope["method"] in _READING):
            await self._app(scope, receive, send)
            return
        plane: ControlPlane = scope["app"].state.control_plane
        try:
            key = _worker_key(scope)
            if key is not None:
                scope[CALLER] = await _worker_caller(scope["path"], key, plane.worker_keys)
            else:
                user = await _user(scope, plane.credentials)
                scope[PRINCIPAL] = Principal(user.name, Means.PASSWORD, Roles(user.role))
                scope[ACTOR] = Actor(user.name, Means.PASSWORD, _address(scope))
                scope[CALLER] = INSIDE
                if self._local_names_only:
                    _refuse_other_names(scope)
            if scope["method"] not in _READING:
                _refuse_other_sites(scope)
        except LineshaftError as error:
            await problem_response(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _worker_key(scope: Scope) -> bytes | None:
    """Find the key that a request shows; None where it shows none."""
    scheme, _, key = (_header(scope, b"authorization") or b"").partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else None


async def _worker_caller(path: str, key: bytes, keys: WorkerKeyService) -> WorkerCaller:
    is_for_workers = path.startswith(_FOR_WORKERS)
    try:
        caller = await keys.caller(key)
    except BadWorkerKeyError:
        if is_for_workers:
            raise
        # Whoever calls anything else is told of the credentials that would do there.
        raise BadCredentialsError from None
    if not is_for_workers:
        raise ForbiddenError(
            f"A worker key opens what is below {_FOR_WORKERS} and nothing else.",
            advice="Call this with a user's name and password.",
        )
    return caller


async def _user(scope: Scope, credentials: CredentialService) -> User:
    name, password = _credentials(_header(scope, b"authorization"))
    return credentials.remembered(name, password) or await credentials.check(name, password)


def _credentials(header: bytes | None) -> tuple[str, str]:
    scheme, _, encoded = (header or b"").partition(b" ")
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
        if origin is None or _host(origin) == (_header(scope, b"host") or b"").lower():
            return
    raise ForbiddenError(
        "The request was sent by a page of another site.",
        advice="Call the API from a program, or from a page of this server.",
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


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return "" if client is None else str(client[0])


def _header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None
