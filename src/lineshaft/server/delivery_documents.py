"""Deliveries as the API shows them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from lineshaft.model.change import ChangeKind, PullRequestAction
from lineshaft.model.delivery import DeliverySource, DeliveryState
from lineshaft.server.documents import Document


class ReceivedDelivery(Document):
    """What a forge is answered."""

    id: UUID
    state: DeliveryState
    text: str | None = Field(description="Why nothing follows from it; null where something may.")


class ChangeDocument(Document):
    """What happened to a repository."""

    kind: ChangeKind
    repository: str
    ref: str
    commit: str
    before: str | None
    message: str
    actor: str | None = Field(description="Who did it, as the forge says.")
    pull_request: int | None
    action: PullRequestAction | None
    url: str | None


class OutcomeDocument(Document):
    """What came of it for one pipeline."""

    pipeline_id: UUID | None
    pipeline: str
    run_id: UUID | None
    text: str | None = Field(description="Why there is no run, or what is to be said of it.")


class DeliveryDocument(Document):
    """What came in, and what came of it."""

    id: UUID
    source: DeliverySource
    connection: str | None
    remote_id: str
    event: str
    received_at: datetime
    state: DeliveryState
    text: str | None
    handled_at: datetime | None
    tries: int
    redelivers: UUID | None
    changes: list[ChangeDocument]
    outcomes: list[OutcomeDocument]


class DeliveryPage(Document):
    """Deliveries, newest first."""

    items: list[DeliveryDocument]
    next: UUID | None
