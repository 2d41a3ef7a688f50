"""Tokens: what programs sign in with in a user's name."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from lineshaft.model.role import Scope


class Expiry(Enum):
    """Until when a token is to be good, where that is no time."""

    DEFAULT = "default"
    """As long as tokens are good for which nothing else is said; docs/access.md says how long that is."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a user. It is shown once; only its hash is kept.

    Attributes:
        id: UUIDv7.
        user: whose it is, by name.
        name: what people call it; unique among the user's.
        hash: the SHA-256 of the token, in hexadecimal. The token has 256 random bits, so that no slower hash
            is needed.
        scope: what it leaves of the user's roles.
        created_at: when it was made.
        expires_at: from when on it is worth nothing; None means never.
        last_used_at: when it was last shown, to the minute; None means not yet.
        certificate: the SHA-256 thumbprint, in hexadecimal, of the only client certificate with which it may
            be shown (RFC 8705); None where it is not bound to one.
    """

    id: UUID
    user: str
    name: str
    hash: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    certificate: str | None = None

    def expired(self, now: datetime) -> bool:
        """Tell whether it is worth nothing any more."""
        return self.expires_at is not None and self.expires_at <= now
