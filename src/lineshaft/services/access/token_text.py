"""Tokens as they are shown: how one is made, and by what it is kept and found."""

import hashlib
import secrets
from typing import Final

PREFIX: Final = "lst_"
"""How tokens begin, so that people and scanners of secrets know one when they see it."""

_RANDOM_BYTES: Final = 32


def new_token_text() -> str:
    """Make a token of 256 random bits, in URL-safe characters."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def token_hash(token: bytes) -> str:
    """Tell by what a token is kept: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token).hexdigest()
