"""What browsers are told about every page: it loads and sends nothing but what is this server's own."""

from collections.abc import Mapping
from typing import Final

PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Browsers tell the origin of a form by this policy, too: without any referrer it would be `null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""For pages without scripts (W3C Content Security Policy Level 3)."""


def page_headers(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Put the headers of a page together.

    Args:
        more: what else its answer carries.
    """
    return {**PAGE_HEADERS, **(more or {})}
