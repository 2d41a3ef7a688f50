"""Events and announcements of work at NATS JetStream."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lineshaft.model.errors import UnavailableError
from lineshaft.ports.events import CloudEvent, QueuedWork
from lineshaft.sdk.nats.connection import NatsConnection
from lineshaft.sdk.nats.streams import Streams
from lineshaft.sdk.nats.subjects import MESSAGE_ID_HEADER, event_subject, work_subject

if TYPE_CHECKING:
    from nats.aio.client import Client

_LOG: Final = logging.getLogger("lineshaft.events")
_ACK_SECONDS: Final = 5.0
_MEDIA_TYPE: Final = "application/cloudevents+json"
_HEADERS_BYTES: Final = 512
"""What the headers of a message take up at most, besides its data."""


@dataclass(frozen=True, slots=True)
class _Message:
    subject: str
    data: bytes
    identity: str
    media_type: str


class NatsEventSink:
    """An `EventSink` (`ports.events`) that publishes to JetStream and waits for each acknowledgement.

    It makes the streams that are missing, with each new connection and whenever a message was not taken.
    """

    def __init__(self, connection: NatsConnection) -> None:
        self._connection = connection
        self._streams = Streams(connection)
        self._made_for: Client | None = None

    async def publish(self, events: Sequence[CloudEvent]) -> None:
        """Publish events; when this returns JetStream has them.

        Raises:
            UnavailableError: NATS is away, or has not acknowledged one in time.
        """
        for event in events:
            data = json.dumps(event.document(), ensure_ascii=False, separators=(",", ":")).encode()
            subject = event_subject(event.kind, event.pipeline)
            await self._send(_Message(subject, data, event.id, _MEDIA_TYPE))

    async def announce(self, work: Sequence[QueuedWork]) -> None:
        """Put a message for each attempt into its driver's work queue.

        Raises:
            UnavailableError: NATS is away, or has not acknowledged one in time.
        """
        for each in work:
            address = each.address
            document = {"run": str(address.run_id), "node": address.node, "attempt": address.attempt}
            identity = f"{address.run_id}/{address.node}/{address.attempt}"
            data = json.dumps(document, separators=(",", ":")).encode()
            await self._send(_Message(work_subject(each.driver), data, identity, "application/json"))

    async def _send(self, message: _Message) -> None:
        from nats.errors import Error

        client = await self._connection.client()
        if len(message.data) + _HEADERS_BYTES > client.max_payload:
            _LOG.error(
                "What happened at %s is left out: its %d bytes are more than NATS takes (max_payload, %d).",
                message.identity,
                len(message.data),
                client.max_payload,
            )
            return
        headers = {MESSAGE_ID_HEADER: message.identity, "Content-Type": message.media_type}
        stream = client.jetstream(timeout=_ACK_SECONDS)
        try:
            if self._made_for is not client:
                await self._streams.make(client)
                self._made_for = client
            await stream.publish(message.subject, message.data, headers=headers)
        except (Error, OSError, TimeoutError) as error:
            # The stream may be gone. Where others hear the subject, nothing else tells of that.
            self._made_for = None
            raise self._not_taken(message, str(error) or repr(error)) from error

    @staticmethod
    def _not_taken(message: _Message, why: str) -> UnavailableError:
        return UnavailableError(
            f"NATS has not taken what happened at {message.identity}: {why}.",
            advice="Check that JetStream is on, has room, and lets the server publish on lineshaft.>.",
        )
