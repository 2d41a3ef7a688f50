"""Passing telemetry on to a collector, with the secrets of its attempt masked."""

import json
from typing import TYPE_CHECKING, Any, Final

from lineshaft.sdk.masking.masker import Masker

if TYPE_CHECKING:
    from aiohttp import ClientSession, web

JSON: Final = "application/json"
"""The content type of OTLP in its readable encoding."""

_ANSWER_SECONDS: Final = 10.0
_ANSWER_LIMIT_BYTES: Final = 64 * 1024
_OF_ONE_CONNECTION: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that say nothing of the request itself (RFC 9110, section 7.6.1), or not of what is made of it."""


def masked_document(document: Any, masker: Masker) -> Any:
    """Mask all texts within a JSON document, names included.

    Raises:
        RecursionError: it is nested too deep.
    """
    match document:
        case str():
            return masker.mask_text(document)
        case list():
            return [masked_document(each, masker) for each in document]
        case dict():
            return {masker.mask_text(name): masked_document(each, masker) for name, each in document.items()}
        case _:
            return document


def masked_body(body: bytes, content_type: str, masker: Masker) -> bytes:
    """Mask a body so that it stays what it was: JSON, or messages in which each part's length is told.

    Raises:
        ValueError: it is said to be JSON and is none.
        RecursionError: it is nested too deep.
    """
    if not masker:
        return body
    if content_type == JSON:
        return json.dumps(masked_document(json.loads(body), masker), ensure_ascii=False).encode(
            errors="replace"
        )
    return masker.mask_in_place(body)


async def forward(request: "web.Request", body: bytes, url: str, session: "ClientSession") -> "web.Response":
    """Send a request on with another body, and answer what the collector answers; 502 when it does not."""
    from aiohttp import ClientError, ClientTimeout, web

    headers = {
        name: value for name, value in request.headers.items() if name.lower() not in _OF_ONE_CONNECTION
    }
    try:
        async with session.post(
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=ClientTimeout(total=_ANSWER_SECONDS),
        ) as answer:
            content = await answer.content.read(_ANSWER_LIMIT_BYTES)
            kept = {
                name: answer.headers[name]
                for name in ("Content-Type", "Retry-After")
                if name in answer.headers
            }
            return web.Response(status=answer.status, body=content, headers=kept)
    except (ClientError, TimeoutError, ValueError) as error:
        text = f"The collector does not answer: {type(error).__name__}."
        return web.json_response({"message": text}, status=502)
