"""Whether a browser sends a request for a page of this server, or for another site's."""

from enum import StrEnum

from starlette.types import Scope


class Site(StrEnum):
    """Where a request comes from."""

    SAME = "same"
    OTHER = "other"
    UNSAID = "unsaid"


def site_of(scope: Scope) -> Site:
    """Tell where a request comes from, as far as it says so.

    Browsers do (W3C Fetch Metadata; the Origin header where that is missing), and programs do not.
    """
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return Site.SAME if site in (b"same-origin", b"none") else Site.OTHER
    origin = headers.get(b"origin")
    if origin is None:
        return Site.UNSAID
    host = headers.get(b"host", b"").lower()
    return Site.SAME if origin.lower().partition(b"://")[2] == host else Site.OTHER
