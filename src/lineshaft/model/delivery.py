"""Deliveries: what came in that could have started runs, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lineshaft.model.change import Change


class DeliverySource(StrEnum):
    """By which way it came."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    GITEA = "gitea"
    WEBHOOK = "webhook"
    """`POST /webhook`."""
    POLL = "poll"
    UPSTREAM = "upstream"


class DeliveryState(StrEnum):
    """How far it has come."""

    RECEIVED = "received"
    """It is kept, and will be seen to."""
    HANDLED = "handled"
    """What could be started has been started, and `outcomes` tell of it."""
    FAILED = "failed"
    """It was tried as often as it makes sense; `text` tells why in vain."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a delivery for one pipeline.

    Attributes:
        pipeline_id: which; None where there is none of the name that was asked for.
        pipeline: its name.
        run_id: the run that was started; None where none was.
        text: why none was started, or what is to be said of the one that was; empty where that is nothing.
    """

    pipeline_id: UUID | None
    pipeline: str
    run_id: UUID | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came in, once, however often it was sent.

    Attributes:
        id: UUIDv7.
        source: by which way.
        connection: the name of the forge's connection; empty where it came from none.
        remote_id: the sender's own id of it, by which a repeat is known; unique with `source` and
            `connection`.
        event: the sender's own word for what happened.
        received_at: when it was kept.
        changes: what it tells of.
        state: how far it has come.
        text: one sentence where nothing could be started at all, and why; else empty.
        outcomes: what came of it, a pipeline each.
        handled_at: when that was known; None before.
        tries: how often it has been tried in vain.
        redelivers: the delivery that this one repeats at somebody's wish; None for all others.
        pipeline_id: the one pipeline that it is for, of a poll or an upstream; None where any that fits is
            started.
    """

    id: UUID
    source: DeliverySource
    connection: str
    remote_id: str
    event: str
    received_at: datetime
    changes: tuple[Change, ...] = ()
    state: DeliveryState = DeliveryState.RECEIVED
    text: str = ""
    outcomes: tuple[Outcome, ...] = ()
    handled_at: datetime | None = None
    tries: int = 0
    redelivers: UUID | None = None
    pipeline_id: UUID | None = None
