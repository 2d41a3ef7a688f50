"""Who may call the API."""

from typing import Protocol

from lineshaft.model.user import User


class Users(Protocol):
    """Who may call the API."""

    def get(self, name: str) -> User | None:
        """Find one by name."""
        ...

    def put(self, user: User) -> None:
        """Add one, or replace the one of that name."""
        ...
