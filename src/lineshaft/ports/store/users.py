"""Who may call the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from lineshaft.model.user import User


class Users(Protocol):
    """Who may call the API."""

    def get(self, name: str) -> User | None:
        """Find one by name."""
        ...

    def hold(self, name: str) -> User | None:
        """Find one by name, and keep other processes from changing it until the commit.

        What depends on that user being there, and as they are, is safe behind this. Only in `Store.write`.
        """
        ...

    def of_subject(self, issuer: str, subject: str) -> User | None:
        """Find the one whom an OpenID Connect provider calls so; the oldest, should there be several."""
        ...

    def from_settings(self) -> Sequence[User]:
        """List those whom the server's settings named when it was last started, by name."""
        ...

    def page(self, *, after: str | None, limit: int) -> Sequence[User]:
        """List them by name.

        Args:
            after: the name behind which to go on; None begins at the first.
            limit: how many at most.
        """
        ...

    def admins(self) -> int:
        """Count the admins who may sign in: with a password or elsewhere, and not disabled.

        Who counts within `Store.write` keeps other processes from changing them until the commit, so that two
        of them cannot remove the last two.
        """
        ...

    def add(self, user: User) -> bool:
        """Add one; False when there is one of that name."""
        ...

    def put(self, user: User) -> None:
        """Add one, or replace the one of that name."""
        ...

    def seen(self, name: str, at: datetime) -> None:
        """Note that they called; an earlier time than is noted changes nothing."""
        ...

    def remove(self, name: str) -> bool:
        """Remove one; False when there is none of that name. What else is theirs is removed where it is."""
        ...
