"""Whether a call knows a webhook's secret.

All comparisons take a time that does not depend on how much of the secret or signature fits.
"""

import hashlib
import hmac


def fits(shown: str | None, expected: str) -> bool:
    """Compare what a header shows with what it must; an absent one never fits.

    Servers read the bytes of a header as Latin-1 (RFC 9110, section 5.5), whatever the sender meant by them.
    """
    if shown is None:
        return False
    meant, must = _bytes(shown), _bytes(expected)
    try:
        sent = shown.encode("latin-1")
    except UnicodeEncodeError:
        sent = meant
    fitting = (hmac.compare_digest(meant, must), hmac.compare_digest(sent, must))
    return any(fitting)


def hex_signature(content: bytes, secret: str) -> str:
    """Return the HMAC-SHA256 of some content in hexadecimal digits (RFC 2104)."""
    return hmac.new(_bytes(secret), content, hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
