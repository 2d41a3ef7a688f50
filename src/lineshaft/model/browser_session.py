"""Browser sessions: what a browser shows after its user has signed in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that a user has signed in with.

    Its cookie is a secret of 256 random bits, of which only the hash is kept.

    Attributes:
        id: UUIDv7.
        user: who signed in, by name.
        hash: the SHA-256 of the cookie's value, in hexadecimal.
        created_at: when they signed in.
        expires_at: from when on it is worth nothing, used or not.
        seen_at: when it was last used, to the minute; one that is not used for long is worth nothing either.
    """

    id: UUID
    user: str
    hash: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime
