"""Texts of statuses, made as short as a forge takes them."""

import hashlib
from typing import Final

_DIGEST_DIGITS: Final = 16
_CUT: Final = "…"


def shortened(text: str, longest: int) -> str:
    """Return a text as one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - len(_CUT)].rstrip()}{_CUT}"


def bounded_key(key: str, longest: int) -> str:
    """Return a key of at most so many characters, so that two that differ still do."""
    if len(key) <= longest:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_DIGITS]
    return f"{key[: longest - len(digest) - 1]}-{digest}"
