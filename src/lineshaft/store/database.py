"""What the store needs of a database."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """Lends connections to synchronous functions."""

    async def write(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection that may write and is in no transaction; one call at a time.

        Raises:
            DatabaseLostError: the database cannot be reached.
            Exception: whatever the function raised.
        """
        ...

    async def read(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection that is in no transaction; calls may run at once.

        A transaction that the function begins sees one view of the database.

        Raises:
            DatabaseLostError: the database cannot be reached.
            Exception: whatever the function raised.
        """
        ...

    def announce(self, connection: Connection, topics: frozenset[str]) -> None:
        """Tell other processes, within a transaction, which topics its commit wakes."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...
