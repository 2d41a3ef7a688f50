"""What browsers show after their users have signed in."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.browser_session import BrowserSession


class BrowserSessions(Protocol):
    """The sessions of browsers; expired ones stay until they are removed."""

    def add(self, session: BrowserSession) -> None:
        """Add one."""
        ...

    def of_hash(self, session_hash: str) -> BrowserSession | None:
        """Find one by the SHA-256 of the cookie's value, in hexadecimal."""
        ...

    def seen(self, session_id: UUID, at: datetime) -> None:
        """Note that it was used; an earlier time than is noted changes nothing."""
        ...

    def remove(self, session_id: UUID) -> bool:
        """Remove one; False when there is none of that id."""
        ...

    def remove_user(self, user: str, *, but: UUID | None = None) -> None:
        """Remove all of a user's.

        Args:
            user: whose, by name.
            but: the id of one that stays; None removes all.
        """
        ...

    def remove_expired(self, at: datetime, limit: int) -> int:
        """Remove sessions that have expired by a time, some of them at once, and tell how many they were."""
        ...
