"""What programs sign in with in users' names."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.token import Token


class Tokens(Protocol):
    """The tokens of users; expired ones stay until they are removed."""

    def add(self, token: Token) -> bool:
        """Add one; False when its user has one of its name."""
        ...

    def of_hash(self, token_hash: str) -> Token | None:
        """Find one by the SHA-256 of the token, in hexadecimal."""
        ...

    def get(self, token_id: UUID) -> Token | None:
        """Find one by its id."""
        ...

    def of_user(self, user: str) -> Sequence[Token]:
        """List a user's, by name."""
        ...

    def used(self, token_id: UUID, at: datetime) -> None:
        """Note that it was shown; an earlier time than is noted changes nothing."""
        ...

    def remove(self, token_id: UUID) -> bool:
        """Remove one; False when there is none of that id."""
        ...

    def remove_user(self, user: str) -> None:
        """Remove all of a user's."""
        ...

    def remove_expired(self, at: datetime, limit: int) -> int:
        """Remove those that have expired by a time, some of them at once, and tell how many they were."""
        ...
