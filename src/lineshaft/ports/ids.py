"""Identity and randomness, passed in."""

import secrets
from itertools import count
from typing import Protocol
from uuid import UUID

import uuid_utils.compat


class Ids(Protocol):
    """Makes ids and tokens. Cheap, never blocks, safe from any thread; never the same twice."""

    def new_id(self) -> UUID:
        """Make a UUIDv7: later ones sort behind earlier ones of the same process."""
        ...

    def new_token(self) -> str:
        """Make a token of at least 128 random bits, in URL-safe characters."""
        ...


class RandomIds:
    """Ids and tokens from the operating system's randomness."""

    def new_id(self) -> UUID:
        """Make a UUIDv7 (RFC 9562, section 5.7)."""
        return uuid_utils.compat.uuid7()

    def new_token(self) -> str:
        """Make a token of 128 random bits."""
        return secrets.token_urlsafe(16)


class CountingIds:
    """Ids for tests: 1, 2, 3, ..."""

    def __init__(self) -> None:
        """Begin at 1."""
        self._numbers = count(1)

    def new_id(self) -> UUID:
        """Make the next id, in the form of a UUIDv7."""
        return UUID(int=(0x7 << 76) | (0x2 << 62) | next(self._numbers))

    def new_token(self) -> str:
        """Make the next token."""
        return f"token-{next(self._numbers)}"
