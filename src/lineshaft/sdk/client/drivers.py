"""The calls of the API client for drivers that a server knows."""

from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote

from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.known_driver import BroadcastView, KnownDriverView
from lineshaft.sdk.transport import read


class DriverCalls(Calls):
    """What a client asks for about drivers."""

    def drivers(self, *, page_size: int = PAGE) -> Iterator[KnownDriverView]:
        """Go through every driver that has ever registered, by name (GET /v1/drivers), a page at a time."""
        query = {"limit": str(page_size)}
        return self._transport.pages("/v1/drivers", query, "after", KnownDriverView.from_document)

    def driver(self, name: str) -> KnownDriverView:
        """Tell what a driver serves, and how it stands (GET /v1/drivers/{name}).

        Raises:
            DriverNotFoundError: none of that name has registered.
        """
        return read(self._transport.request("GET", _path(name)), KnownDriverView.from_document)

    def forget_driver(self, name: str) -> None:
        """Take a driver from the list, so that nothing more is meant for it (DELETE /v1/drivers/{name}).

        Raises:
            ConflictError: it is connected.
            DriverNotFoundError: none of that name has registered.
        """
        self._transport.request("DELETE", _path(name))

    def broadcast(
        self, event: str, payload: Any = None, *, drivers: Collection[str] | None = None
    ) -> BroadcastView:
        """Send a message to drivers (POST /v1/drivers/broadcast).

        Args:
            event: its name.
            payload: any JSON.
            drivers: the only drivers that get it, whatever they hear; None means all that hear the event.

        Raises:
            DriverNotFoundError: one that is named has never registered.
            InvalidInputError: the event is no name of one, or that of what happens to resources.
        """
        body = {"event": event, "payload": payload, "drivers": None if drivers is None else list(drivers)}
        answer = self._transport.request("POST", "/v1/drivers/broadcast", json=body)
        return read(answer, BroadcastView.from_document)


def _path(name: str) -> str:
    return f"/v1/drivers/{quote(name, safe='')}"
