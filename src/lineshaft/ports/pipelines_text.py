"""The server's file of pipelines, wherever it is."""

from datetime import timedelta
from typing import Protocol


class PipelinesText(Protocol):
    """The text of a file that changes while the server runs."""

    @property
    def place(self) -> str:
        """Where it is, for people; nothing secret."""
        ...

    @property
    def pause(self) -> timedelta:
        """How long to wait from one look to the next."""
        ...

    async def changed(self) -> bytes | None:
        """Look at it, and read it if it is another one than was read before.

        Returns:
            All of it, or one byte more than a file of pipelines may be long; None where nothing has changed.

        Raises:
            UnavailableError: it cannot be read now. When it can be again, it counts as changed.
        """
        ...
