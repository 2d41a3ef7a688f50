"""Telling other systems what has happened, and drivers that there is work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """Something that has happened, as a CloudEvent 1.0 (github.com/cloudevents/spec).

    Attributes:
        id: the same whenever it is published again, unique over all sources.
        source: the path in the API of what it happened to.
        kind: what it happened to: `run`, `node` or `resource`.
        pipeline: the name of the pipeline; None where there is none.
        subject: what of the source it is about.
        time: when it happened.
        data: what has happened, as JSON.
    """

    id: str
    source: str
    kind: str
    pipeline: str | None
    subject: str
    time: datetime
    data: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Say it in the JSON format of CloudEvents."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": f"lineshaft.{self.kind}",
            "subject": self.subject,
            "time": self.time.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": dict(self.data),
        }


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """An attempt that waits for a driver that somebody has written.

    Attributes:
        driver: the driver's name.
        address: which attempt.
    """

    driver: str
    address: AttemptAddress


class EventSink(Protocol):
    """Takes what has been committed, for others to read.

    Order: the events of one call are taken one after the other, each before the next is offered; who wants
    the events of several calls in order makes one call after the other. Concurrency: both methods may be
    called at any time. Idempotency: an event that is published again has the id that it had, by which its
    readers drop it; work that is announced again costs its driver a look.
    """

    async def publish(self, events: Sequence[CloudEvent]) -> None:
        """Publish events; when this returns they are durable.

        One that the sink will never take, because it is too large, is left out, and the log says so.

        Raises:
            UnavailableError: the sink is away, or did not take one in time; those before it may be taken.
        """
        ...

    async def announce(self, work: Sequence[QueuedWork]) -> None:
        """Tell drivers that there is something to do.

        Raises:
            UnavailableError: the sink is away.
        """
        ...


@dataclass(slots=True)
class KeptEvents:
    """An `EventSink` in memory, for tests and for programs without a broker.

    Attributes:
        events: what was published, each once, in order.
        work: what was announced.
        away: whether nothing is taken.
    """

    events: list[CloudEvent] = field(default_factory=list)
    work: list[QueuedWork] = field(default_factory=list)
    away: bool = False

    async def publish(self, events: Sequence[CloudEvent]) -> None:
        """Keep events whose ids are new."""
        self._refuse_if_away()
        known = {event.id for event in self.events}
        self.events += [event for event in events if event.id not in known]

    async def announce(self, work: Sequence[QueuedWork]) -> None:
        """Keep it."""
        self._refuse_if_away()
        self.work += work

    def _refuse_if_away(self) -> None:
        if self.away:
            raise UnavailableError("Nobody takes events now.", advice="Try again later.")
