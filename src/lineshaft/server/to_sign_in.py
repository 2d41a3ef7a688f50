"""People who ask for a page and are not signed in are sent to where they can sign in; programs never are."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from lineshaft.server.pages.destination import reference
from lineshaft.server.pages.headers import page_headers
from lineshaft.server.pages.sign_in import PATH

_API: Final = "/v1/"


def to_sign_in(scope: Scope) -> Response | None:
    """Answer a browser that shows no good credentials; None where it is no browser that shows a page.

    Some programs accept HTML by default. So below the API's paths a request has to say besides that it is
    somebody who goes there (W3C Fetch Metadata).
    """
    headers = dict(scope["headers"])
    if scope["method"] != "GET" or b"authorization" in headers:
        return None
    mode = headers.get(b"sec-fetch-mode")
    goes_there = mode == b"navigate" or (mode is None and not scope["path"].startswith(_API))
    if not goes_there or b"text/html" not in headers.get(b"accept", b"").lower():
        return None
    asked = scope.get("raw_path", b"").decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    following = urlencode({"next": f"{asked}?{query}" if query else asked})
    location = f"{reference(asked, PATH)}?{following}"
    return RedirectResponse(location, HTTPStatus.SEE_OTHER, page_headers())
