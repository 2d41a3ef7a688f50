"""Drivers that a server knows, and what came of broadcasts to them, as the API shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class KnownDriverView:
    """A driver that has registered.

    Attributes:
        name: as pipelines name it.
        description: for people.
        resources: the types whose changes it gets where no pipeline carries them.
        events: which of them, and of broadcasts; `*` stands for all.
        connected: how many programs of it are connected.
        in_flight: how many tasks they work on.
        registered_at: when it first registered.
        seen_at: when a program of it was last heard of.
        document: the JSON that this was read from.
    """

    name: str
    description: str
    resources: tuple[str, ...]
    events: tuple[str, ...]
    connected: int
    in_flight: int
    registered_at: datetime
    seen_at: datetime
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            name=document["name"],
            description=document["description"],
            resources=tuple(document["resources"]),
            events=tuple(document["events"]),
            connected=document["connected"],
            in_flight=document["in_flight"],
            registered_at=datetime.fromisoformat(document["registered_at"]),
            seen_at=datetime.fromisoformat(document["seen_at"]),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class BroadcastView:
    """What came of a broadcast.

    Attributes:
        run_id: the run that carries it; None where nobody hears it.
        drivers: those that get it.
        document: the JSON that this was read from.
    """

    run_id: UUID | None
    drivers: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        run_id = document["run_id"]
        return cls(None if run_id is None else UUID(run_id), tuple(document["drivers"]), document)
