"""The cookie that browsers show after their users have signed in."""

from typing import Final

from starlette.types import Scope

_NAME: Final = "lineshaft"
_SECURE_NAME: Final = f"__Host-{_NAME}"
"""Browsers take a cookie of such a name only from the host itself and by HTTPS (RFC 6265bis, section
4.1.3.2), so that no neighbour can put one of its own in its place.
"""


def cookie_name(scope: Scope) -> str:
    """Tell the cookie's name: where a browser calls by HTTPS, only the one that is safe from neighbours."""
    return _SECURE_NAME if scope.get("scheme") == "https" else _NAME


def shown_cookie(scope: Scope, header: bytes) -> bytes | None:
    """Find the cookie's value in a Cookie header (RFC 6265, section 5.4); None where it is not among them."""
    name = cookie_name(scope).encode()
    for pair in header.split(b";"):
        key, equals, value = pair.strip().partition(b"=")
        if key == name and equals:
            return value.strip(b'"')
    return None
