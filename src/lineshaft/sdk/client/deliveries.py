"""The calls of the API client for deliveries."""

from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.delivery import DeliveryView
from lineshaft.sdk.transport import read


class DeliveryCalls(Calls):
    """What a client asks for about what came in from outside."""

    def deliveries(self, *, pipeline: UUID | None = None, page_size: int = PAGE) -> Iterator[DeliveryView]:
        """Go through what came in, newest first, a page at a time (GET /v1/deliveries).

        Args:
            pipeline: only that of which something came for this pipeline.
            page_size: how many to ask for at a time.
        """
        query = {"limit": str(page_size)} | ({} if pipeline is None else {"pipeline": str(pipeline)})
        return self._transport.pages("/v1/deliveries", query, "before", DeliveryView.from_document)

    def delivery(self, delivery_id: UUID | str) -> DeliveryView:
        """Show what came in (GET /v1/deliveries/{id}).

        Raises:
            NotFoundError: there is none of that id.
        """
        return read(self._transport.request("GET", _path(delivery_id)), DeliveryView.from_document)

    def redeliver(self, delivery_id: UUID | str) -> DeliveryView:
        """Have one seen to once more (POST /v1/deliveries/{id}/redeliver), and return the new one.

        Raises:
            NotFoundError: there is none of that id.
            ConflictError: it came from no forge.
        """
        answer = self._transport.request("POST", f"{_path(delivery_id)}/redeliver")
        return read(answer, DeliveryView.from_document)


def _path(delivery_id: UUID | str) -> str:
    return f"/v1/deliveries/{quote(str(delivery_id), safe='')}"
