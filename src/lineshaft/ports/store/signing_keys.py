"""The keys that identity tokens are signed with, as they are kept."""

from collections.abc import Sequence
from typing import Protocol

from lineshaft.model.secret import SealedValue
from lineshaft.model.signing_key import SigningKey


class SigningKeys(Protocol):
    """The keys that identity tokens are signed with; their private halves are sealed."""

    def all(self) -> Sequence[SigningKey]:
        """List them, oldest first."""
        ...

    def add(self, key: SigningKey) -> None:
        """Add a new one."""
        ...

    def reseal(self, key: SigningKey, private: SealedValue) -> bool:
        """Seal the same private half in another way.

        Args:
            key: as it was read.
            private: how it is sealed now.

        Returns:
            False when it is not there any more, or is sealed in another way by now.
        """
        ...

    def remove(self, key_id: str) -> bool:
        """Remove one; False when there is none of that id."""
        ...
