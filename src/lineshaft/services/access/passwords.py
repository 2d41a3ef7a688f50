"""Passwords: which ones may be chosen, and the hashes by which they are kept."""

import asyncio
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST_PASSWORD: Final = 8
LONGEST_PASSWORD: Final = 1024

_COMMON: Final = "common_passwords.txt"


def password_complaint(password: str, username: str = "") -> str | None:
    """Tell what speaks against a new password, as the rest of a sentence; None where nothing does.

    The rules are those of NIST SP 800-63B, section 3.1.1: length counts, and not what it is composed of; what
    attackers try first is refused.

    Args:
        password: what is to be chosen.
        username: whose it is to be, where that is known.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        # RFC 7617, section 2: basic authentication cannot send control characters.
        return "must not have control characters in it"
    folded = password.casefold()
    if folded in _common_passwords():
        return "is one of the commonest passwords, which are tried first: choose another one"
    if folded == username.casefold():
        return "must not be the user's name"
    return None


class PasswordHashing:
    """Makes argon2id hashes (RFC 9106), with the library's default parameters, and compares with them.

    Each takes tens of milliseconds, in a thread.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        # One at a time: each takes 64 MiB.
        self._turn = asyncio.Semaphore(1)

    async def hash(self, password: str) -> str:
        """Make the hash by which a password is kept."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _encoded(password))

    async def matches(self, encoded: str, password: str) -> bool:
        """Tell whether a hash is that of a password."""
        async with self._turn:
            return await asyncio.to_thread(self._matches, encoded, password)

    def _matches(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False


def _encoded(password: str) -> bytes:
    # Settings may hold bytes that are no UTF-8, which Python keeps as surrogates.
    return password.encode("utf-8", "surrogatepass")


@cache
def _common_passwords() -> frozenset[str]:
    lines = files(__package__).joinpath(_COMMON).read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
