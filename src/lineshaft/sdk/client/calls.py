"""What the calls of the API client share: the way to the server."""

from typing import Final

from lineshaft.sdk.transport import Transport

PAGE: Final = 100
"""How many entries of a list are asked for at a time."""


class Calls:
    """Calls of the API for one kind of thing."""

    def __init__(self, transport: Transport) -> None:
        """Make calls over a transport."""
        self._transport: Final = transport
