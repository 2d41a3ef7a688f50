"""The forms in which a secret may turn up in a text: as it is, encoded, and quoted."""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote_from_bytes

from lineshaft.model.maskable import SHORTEST, maskable_parts
from lineshaft.sdk.masking.quoting import quoted_forms

_BLOCK: Final = 4096
"""A longer text is masked block by block, so that no more than a few blocks ever wait for their end."""

_BASE64_COLUMNS: Final = (64, 76)
"""Where `openssl base64` and `base64` begin a new line (RFC 7468, RFC 2045)."""

_HEX_COLUMNS: Final = (60,)
"""Where `xxd -p` begins one."""

_LEFT_AS_THEY_ARE: Final = (
    "-._~",  # RFC 3986, curl, jq, Go
    "-._~/",  # Python
    "-._",  # PHP, Perl
    "*-._",  # forms in browsers, Java
    "-_.!~*'()",  # encodeURIComponent
    "-_.!~*'();/?:@&=+$,#",  # encodeURI
    "-_.~$&+=:@",  # Go, within a path
    "-_.~$&+,;=",  # Go, within user and password
    "-_.~!$&'()*+,;=:@/?",  # a query as RFC 3986 allows it
    "!$%&'()*+,-./:;=?@[\\]^_`{|}~",  # a query in browsers
)
_NO_BYTES: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_ENCODED: Final = re.compile(rb"%[0-9A-F]{2}")


def forms_of(value: str) -> frozenset[bytes]:
    """Name all byte strings that are to be masked for a secret; none when it cannot be masked.

    Args:
        value: what it is; bytes that are no UTF-8 as surrogates (PEP 383).
    """
    forms: set[bytes] = set()
    # What stands for no bytes at all, no task is ever given.
    for part in maskable_parts(_NO_BYTES.sub("?", value)):
        lines = "\n".join(part.splitlines()) if "\r" in part else part
        for text in {part, lines, lines.replace("\n", "\r\n")}:
            for block in _blocks(text):
                forms.update(_forms_of_block(block))
    return frozenset(form for form in forms if len(form) >= SHORTEST)


def _blocks(text: str) -> Iterator[str]:
    for start in range(0, len(text), _BLOCK):
        # The last one reaches back, so that it is long enough to be masked.
        yield text[start : start + _BLOCK] if start + _BLOCK <= len(text) else text[-_BLOCK:]


def _forms_of_block(text: str) -> Iterator[bytes]:
    data = text.encode(errors="surrogateescape")
    yield data
    yield from _base64_forms(data)
    yield from _hex_forms(data)
    yield from _url_forms(data)
    yield from quoted_forms(text)


def _base64_forms(data: bytes) -> Iterator[bytes]:
    """Encode (RFC 4648): by itself, and as what stays the same whatever stands before and behind."""
    for tail in (b"", b"\n", b"\r\n"):
        alone = b64encode(data + tail)
        for whole in (alone, alone.rstrip(b"=")):
            yield whole
            yield _url_safe(whole)
        for columns in _BASE64_COLUMNS:
            yield from _lines(alone, columns)
    for before in range(3):
        encoded = b64encode(bytes(before) + data)
        # Six bits a character: those that it shares with its neighbours depend on them.
        inner = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield inner
        yield _url_safe(inner)


def _url_safe(encoded: bytes) -> bytes:
    return encoded.replace(b"+", b"-").replace(b"/", b"_")


def _hex_forms(data: bytes) -> Iterator[bytes]:
    lower = data.hex().encode()
    for form in (lower, lower.upper()):
        yield form
        for columns in _HEX_COLUMNS:
            yield from _lines(form, columns)


def _lines(encoded: bytes, columns: int) -> Iterator[bytes]:
    """Take apart what a program breaks into lines; each counts by itself, whatever stands between them."""
    lines = [encoded[start : start + columns] for start in range(0, len(encoded), columns)]
    yield from lines
    if len(lines) > 1 and len(lines[-1]) < SHORTEST:
        yield b"\n".join(lines[-2:])
        yield b"\r\n".join(lines[-2:])


def _url_forms(data: bytes) -> Iterator[bytes]:
    for safe in _LEFT_AS_THEY_ARE:
        encoded = quote_from_bytes(data, safe).encode()
        if "~" not in safe:
            encoded = encoded.replace(b"~", b"%7E")
        if encoded == data:
            continue
        for form in (encoded, encoded.replace(b"%20", b"+")):
            yield form
            yield _ENCODED.sub(_lower, form)
    everything = "".join(f"%{byte:02X}" for byte in data).encode()
    yield everything
    yield everything.lower()


def _lower(match: re.Match[bytes]) -> bytes:
    return match[0].lower()
