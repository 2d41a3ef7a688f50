"""All forges that there are adapters for, as one; a `ports.forge.Forges`."""

from typing import TYPE_CHECKING, Final

from lineshaft.integrations.forges import (
    default_api_url,
    default_username,
    status_reporter,
    webhook_reader,
)
from lineshaft.model.connection import ForgeKind
from lineshaft.ports.clock import Clock
from lineshaft.ports.forge import StatusReporter, WebhookReader

if TYPE_CHECKING:
    from lineshaft.integrations.outgoing.client import OutgoingClient


class KnownForges:
    """Knows the forges that this package has adapters for."""

    def __init__(self, client: "OutgoingClient", clock: Clock) -> None:
        """Call them.

        Args:
            client: by which they are called.
            clock: tells how far away the times are that they name.
        """
        self._client: Final = client
        self._clock: Final = clock

    def api_url(self, kind: ForgeKind, url: str) -> str:
        """Say where a forge's API is, by where its pages are; empty where it has none."""
        return default_api_url(kind, url)

    def username(self, kind: ForgeKind) -> str:
        """Say what git says who signs in, where a token is all that counts."""
        return default_username(kind)

    def reader(self, kind: ForgeKind) -> WebhookReader | None:
        """Return what reads its webhooks; None where it sends none."""
        return webhook_reader(kind)

    def reporter(self, kind: ForgeKind) -> StatusReporter | None:
        """Return what tells it statuses; None where it takes none."""
        return status_reporter(kind, self._client, self._clock)
