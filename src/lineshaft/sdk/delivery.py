"""Deliveries as the API shows them; `wire.delivery` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What came of a delivery for one pipeline.

    Attributes:
        pipeline: its name.
        run_id: the run that was started; None where none was.
        text: why none was started, or what is to be said of it; None where that is nothing.
    """

    pipeline: str
    run_id: UUID | None
    text: str | None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        run_id = document["run_id"]
        return cls(document["pipeline"], None if run_id is None else UUID(run_id), document["text"])


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """What came in, and what came of it.

    Attributes:
        id: its id.
        source: by which way, such as `github`.
        connection: the name of the forge's connection; None where it came from none.
        event: the sender's own word for what happened.
        received_at: when it came.
        state: `received`, `handled` or `failed`.
        text: why nothing could be started at all, or why it is tried again; None where that is nothing.
        tries: how often it has been tried in vain.
        redelivers: the delivery that it repeats; None for most.
        refs: what changed, such as `refs/heads/main`.
        outcomes: what came of it, a pipeline each.
        document: the JSON that this was read from.
    """

    id: UUID
    source: str
    connection: str | None
    event: str
    received_at: datetime
    state: str
    text: str | None
    tries: int
    redelivers: UUID | None
    refs: tuple[str, ...]
    outcomes: tuple[OutcomeView, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        redelivers = document["redelivers"]
        return cls(
            id=UUID(document["id"]),
            source=document["source"],
            connection=document["connection"],
            event=document["event"],
            received_at=datetime.fromisoformat(document["received_at"]),
            state=document["state"],
            text=document["text"],
            tries=document["tries"],
            redelivers=None if redelivers is None else UUID(redelivers),
            refs=tuple(each["ref"] for each in document["changes"]),
            outcomes=tuple(OutcomeView.from_document(each) for each in document["outcomes"]),
            document=document,
        )
