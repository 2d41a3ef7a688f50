"""The keys that identity tokens are signed with, as they are kept."""

from collections.abc import Sequence
from typing import Protocol

from lineshaft.model.signing_key import SigningKey


class SigningKeys(Protocol):
    """The keys that identity tokens are signed with; their private halves are sealed."""

    def all(self) -> Sequence[SigningKey]:
        """List them, oldest first."""
        ...

    def add(self, key: SigningKey) -> None:
        """Add a new one."""
        ...

    def remove(self, key_id: str) -> bool:
        """Remove one; False when there is none of that id."""
        ...
