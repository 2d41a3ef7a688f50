"""The connections to forges."""

from collections.abc import Sequence
from typing import Protocol

from lineshaft.model.connection import Connection


class Connections(Protocol):
    """The connections to forges. They are few, and are always read together."""

    def put(self, connection: Connection) -> None:
        """Add one, or give the one of the same name all but its id and its `created_at` anew."""
        ...

    def get(self, name: str) -> Connection | None:
        """Find one by its name."""
        ...

    def remove(self, name: str) -> bool:
        """Remove one; False when there is none of that name."""
        ...

    def all(self) -> Sequence[Connection]:
        """List them, by name."""
        ...
