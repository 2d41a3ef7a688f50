"""The streams of Lineshaft at JetStream, made where they are missing."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lineshaft.sdk.nats.connection import NatsConnection
from lineshaft.sdk.nats.subjects import (
    EVENTS,
    EVENTS_STREAM,
    WORK,
    WORK_STREAM,
    word_of,
    work_subject,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js.api import StreamConfig

_EVENTS_KEPT: Final = timedelta(days=7)
_WORK_KEPT: Final = timedelta(hours=1)
"""Drivers look for themselves, so that an old message tells them nothing."""
_MOST_OF_A_DRIVER: Final = 10_000
_REPEATS_KNOWN: Final = timedelta(minutes=2)
_ANSWERED_WITHIN: Final = timedelta(seconds=60)
_NAME_TAKEN: Final = 10058
"""The error of JetStream that says: there is a stream of that name, and it is set up otherwise."""


class Streams:
    """Makes the streams, and the consumers of drivers; what is there is left as it is."""

    def __init__(self, connection: NatsConnection) -> None:
        self._connection = connection

    async def make(self, client: "Client") -> None:
        """Make the streams that are missing.

        Raises:
            nats.errors.Error: JetStream is off, or does not let this user make them.
        """
        from nats.js.errors import APIError

        for config in _configs():
            try:
                await client.jsm().add_stream(config)
            except APIError as error:
                if error.err_code != _NAME_TAKEN:
                    raise

    async def make_consumer(self, driver: str) -> None:
        """Make the durable consumer of a driver, from which all programs of it fetch.

        Raises:
            UnavailableError: NATS is away.
            nats.errors.Error: JetStream is off, or does not let this user make it.
        """
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
        from nats.js.errors import NotFoundError

        client = await self._connection.client()
        config = ConsumerConfig(
            durable_name=word_of(driver),
            filter_subject=work_subject(driver),
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=_ANSWERED_WITHIN.total_seconds(),
            max_deliver=-1,
        )
        try:
            await client.jsm().consumer_info(WORK_STREAM, word_of(driver))
        except NotFoundError:
            await self.make(client)
            await client.jsm().add_consumer(WORK_STREAM, config)


def _configs() -> "tuple[StreamConfig, ...]":
    from nats.js.api import DiscardPolicy, RetentionPolicy, StreamConfig

    events = StreamConfig(
        name=EVENTS_STREAM,
        subjects=[f"{EVENTS}.>"],
        max_age=_EVENTS_KEPT.total_seconds(),
        duplicate_window=_REPEATS_KNOWN.total_seconds(),
    )
    work = StreamConfig(
        name=WORK_STREAM,
        subjects=[f"{WORK}.*"],
        retention=RetentionPolicy.WORK_QUEUE,
        discard=DiscardPolicy.OLD,
        max_age=_WORK_KEPT.total_seconds(),
        max_msgs_per_subject=_MOST_OF_A_DRIVER,
        duplicate_window=_REPEATS_KNOWN.total_seconds(),
    )
    return events, work
