"""What no secret is in, passes as it is, however much it looks like secrets."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

import lineshaft
from lineshaft.sdk.masking.masker import MaskedStream, Masker

SOURCES = Path(lineshaft.__file__).parent


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


SECRETS = [
    base64.b64encode(digest("one")).decode(),
    base64.urlsafe_b64encode(digest("two")).decode().rstrip("="),
    digest("three").hex(),
    f"ghp_{digest('four').hex()[:36]}",
    f"eyJhbGciOiJSUzI1NiJ9.{base64.urlsafe_b64encode(digest('five') * 4).decode()}.c2ln",
    "correct horse battery staple",
    "p4ss'word\"with $pecials\\",
    "postgresql://shop:tr0ub4dor@db.internal:5432/shop",
    "-----BEGIN PRIVATE KEY-----\n"
    + "\n".join(base64.b64encode(digest(f"line {number}") * 2)[:64].decode() for number in range(20))
    + "\n-----END PRIVATE KEY-----\n",
    json.dumps(
        {
            "type": "service_account",
            "private_key": f"-----BEGIN PRIVATE KEY-----\n{digest('six').hex()}\n-----END PRIVATE KEY-----\n",
        },
        indent=2,
    ),
]


def log_lines() -> Iterator[str]:
    for number in range(2000):
        name = digest(f"package {number}").hex()
        yield f"2026-11-21T17:{number // 60 % 60:02}:{number % 60:02}Z INFO request id={name[:32]}\n"
        yield f"  Downloading https://files.example.org/{name[:2]}/{name}/package-{number}.tar.gz\n"
        yield f"\x1b[32m✔\x1b[0m test_{number} [{number % 101:3d}%]\r"
        yield f"sha256:{name}  token=*** password: ***\n"
        yield f'{{"level": "info", "type": "service_account", "n": {number}, "url": "{quote(name)}%2F"}}\n'


TEXTS: dict[str, bytes] = {
    "source code": b"".join(path.read_bytes() for path in sorted(SOURCES.rglob("*.py"))),
    "a log": "".join(log_lines()).encode(),
    "base64": b"\n".join(base64.b64encode(digest(str(number)) * 2) for number in range(4000)),
    "keys of others": (
        b"-----BEGIN PRIVATE KEY-----\n"
        + base64.encodebytes(b"".join(digest(f"other {number}") for number in range(100)))
        + b"-----END PRIVATE KEY-----\n"
    ),
    "hexadecimal": b"\n".join(digest(f"hash {number}").hex().encode() for number in range(4000)),
    "unicode": "".join(map(chr, (*range(32, 0xD800), *range(0xE000, 0x11000)))).encode(),
    "bytes": b"".join(digest(f"byte {number}") for number in range(8000)),
    "beginnings of secrets": b"".join(
        secret.encode()[:size] + b"\n" for secret in SECRETS for size in range(min(len(secret), 26) - 1)
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_masked(name: str) -> None:
    masker, stream, data = Masker(SECRETS), MaskedStream(), TEXTS[name]
    pieces = [stream.feed(data[start : start + 4096], masker) for start in range(0, len(data), 4096)]
    assert b"".join((*pieces, stream.finish(masker))) == data
