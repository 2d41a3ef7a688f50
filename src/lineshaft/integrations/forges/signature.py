"""Whether a call knows a webhook's secret.

All comparisons take a time that does not depend on how much of the secret or signature fits.
"""

import hashlib
import hmac


def fits(shown: str | None, expected: str) -> bool:
    """Compare what a header shows with what it must; an absent one never fits."""
    if shown is None:
        hmac.compare_digest(_bytes(expected), _bytes(expected))
        return False
    return hmac.compare_digest(_bytes(shown), _bytes(expected))


def hex_signature(content: bytes, secret: str) -> str:
    """Return the HMAC-SHA256 of some content in hexadecimal digits (RFC 2104)."""
    return hmac.new(_bytes(secret), content, hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
