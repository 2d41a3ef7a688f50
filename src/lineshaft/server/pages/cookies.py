"""Cookies (RFC 6265bis): told, read and taken back."""

from datetime import timedelta
from typing import Final

from starlette.types import Scope

SESSION: Final = "lineshaft"
"""The cookie of a browser that has signed in."""

TICKET: Final = "lineshaft-oidc"
"""The cookie of a browser that is on its way to the sign-in provider."""

_HOST_PREFIX: Final = "__Host-"
"""With it, browsers take a cookie from this very host by HTTPS alone, and from no other below its domain."""


def cookie_name(scope: Scope, name: str) -> str:
    """Tell what a cookie is called on the way that a browser has taken: the prefix needs HTTPS."""
    return f"{_HOST_PREFIX}{name}" if _is_secure(scope) else name


def shown_cookie(scope: Scope, name: str) -> str | None:
    """Find the value of a cookie that a browser shows; None where it shows none."""
    wanted = cookie_name(scope, name)
    for key, header in scope["headers"]:
        if key != b"cookie":
            continue
        for pair in header.decode("latin-1").split(";"):
            shown, _, value = pair.partition("=")
            if shown.strip() == wanted:
                return str(value.strip())
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
