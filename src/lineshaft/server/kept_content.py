"""Kept files as answers: with their type, a validator, and byte ranges (RFC 9110).

They were written by tasks, so that no browser may believe them: what it shows of them has no origin, runs no
script, and has no type but the one that is told.
"""

import mimetypes
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from lineshaft.server.ranges import ByteRange, UnsatisfiableRangeError, requested_range

_GUARDS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
_SHOWN: Final = frozenset(
    {
        "application/json",
        "application/pdf",
        "application/xml",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/csv",
        "text/html",
        "text/markdown",
        "text/plain",
    }
)
"""What browsers may show, in the sandbox; all else they save."""

_TEXT: Final = "text/"
_UNKNOWN: Final = "application/octet-stream"
_ASCII: Final = frozenset(map(chr, range(0x20, 0x7F))) - set('"\\%')

Read = Callable[[int, int], AsyncGenerator[bytes, None]]


@dataclass(frozen=True, slots=True)
class KeptContent:
    """Bytes that an answer carries.

    Attributes:
        media_type: what they are.
        file_name: what a browser calls the file that it saves.
        validator: differs where the bytes do.
        size_bytes: how many there are; None where that is known only at their end.
        read: reads them from one place up to another.
    """

    media_type: str
    file_name: str
    validator: str
    size_bytes: int | None
    read: Read


def media_type_of(path: str) -> str:
    """Guess by its name what a file is."""
    guessed, encoding = mimetypes.guess_type(f"/{path}", strict=True)
    if guessed is None or encoding is not None:
        return _UNKNOWN
    return f"{guessed}; charset=utf-8" if guessed.startswith(_TEXT) else guessed


def answer_content(request: Request, content: KeptContent) -> Response:
    """Answer a GET or HEAD request for kept files."""
    etag = f'"{content.validator}"'
    headers = {**_GUARDS, "ETag": etag, "Content-Disposition": _disposition(content)}
    if _is_known(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    size = content.size_bytes
    if size is None:
        headers["Accept-Ranges"] = "none"
        return _body(request, content, headers, None)
    headers["Accept-Ranges"] = "bytes"
    try:
        part = _part(request, etag, size)
    except UnsatisfiableRangeError:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    return _body(request, content, headers, part)


def _body(
    request: Request, content: KeptContent, headers: dict[str, str], part: ByteRange | None
) -> Response:
    size = content.size_bytes
    shown = part or ByteRange(0, size or 0)
    if size is not None:
        headers["Content-Length"] = str(shown.stop - shown.start)
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    status = 200 if part is None else 206
    headers["Content-Type"] = content.media_type
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(content.read(shown.start, shown.stop), status, headers)


def _part(request: Request, etag: str, size: int) -> ByteRange | None:
    # RFC 9110, section 13.1.5: without a strong match the whole is sent.
    condition = request.headers.get("if-range")
    header = request.headers.get("range")
    if header is None or request.method != "GET" or (condition is not None and condition.strip() != etag):
        return None
    return requested_range(header, size)


def _is_known(header: str | None, etag: str) -> bool:
    """Whether If-None-Match names what would be sent; weak comparison (RFC 9110, section 13.1.2)."""
    if header is None:
        return False
    known = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in known or etag in known


def _disposition(content: KeptContent) -> str:
    """Say whether to show or save it, and its name (RFC 6266, RFC 8187)."""
    kind = "inline" if content.media_type.partition(";")[0].strip().lower() in _SHOWN else "attachment"
    plain = "".join(each if each in _ASCII else "_" for each in content.file_name)
    named = f'{kind}; filename="{plain}"'
    if plain == content.file_name:
        return named
    return f"{named}; filename*=UTF-8''{quote(content.file_name, safe='', errors='replace')}"
