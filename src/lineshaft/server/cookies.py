"""Cookies (RFC 6265bis): told, read and taken back."""

from datetime import timedelta
from typing import Final

from starlette.types import Scope

SESSION: Final = "lineshaft"
"""The cookie that browsers show after their users have signed in."""

TICKET: Final = "lineshaft-oidc"
"""The cookie of a browser that is on its way to the sign-in provider."""

_HOST_PREFIX: Final = "__Host-"
"""Browsers take a cookie of such a name only from the host itself and by HTTPS (RFC 6265bis, section
4.1.3.2), so that no neighbour can put one of its own in its place.
"""


def cookie_name(scope: Scope, name: str = SESSION) -> str:
    """Tell a cookie's name: where a browser calls by HTTPS, only the one that is safe from neighbours."""
    return f"{_HOST_PREFIX}{name}" if _is_secure(scope) else name


def shown_cookie(scope: Scope, header: bytes, name: str = SESSION) -> bytes | None:
    """Find a cookie's value in a Cookie header (RFC 6265, section 5.4); None where it is not among them."""
    wanted = cookie_name(scope, name).encode()
    for pair in header.split(b";"):
        key, equals, value = pair.strip().partition(b"=")
        if key == wanted and equals:
            return value.strip(b'"')
    return None


def cookie_of(scope: Scope, name: str = SESSION) -> bytes | None:
    """Find a cookie's value among all that a request shows; None where it is not among them."""
    for key, value in scope["headers"]:
        if key == b"cookie":
            return shown_cookie(scope, value, name)
    return None


def set_cookie(scope: Scope, name: str, value: str, lifetime: timedelta) -> str:
    """Write the header that has a browser keep a cookie, out of the reach of scripts and of other sites.

    Args:
        scope: of the request that is answered.
        name: as `SESSION` and `TICKET`.
        value: letters, digits and `- _ .`.
        lifetime: how long the browser is to keep it.
    """
    secure = "; Secure" if _is_secure(scope) else ""
    age = int(lifetime.total_seconds())
    return f"{cookie_name(scope, name)}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"


def drop_cookie(scope: Scope, name: str) -> str:
    """Write the header that has a browser forget a cookie."""
    return set_cookie(scope, name, "", timedelta(0))


def _is_secure(scope: Scope) -> bool:
    return bool(scope.get("scheme") == "https")
