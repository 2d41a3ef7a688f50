"""Statuses of commits as the API shows them; `wire.status` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class StatusView:
    """What a forge is to show of a run or of one of its top-level nodes.

    Attributes:
        context: by which the forge tells it from others.
        state: `pending`, `running`, `succeeded`, `failed`, `error`, `cancelled` or `skipped`.
        text: one sentence.
        connection: the name of the forge's connection.
        repository: an address of the repository there.
        commit: that it is about.
        told: whether the forge has taken it as it is now.
        tries: how often it has been tried in vain since it changed.
        next_try_at: when it is told next; None where it was told, or has been given up.
        last_error: why it could not be told the last time.
        document: the JSON that this was read from.
    """

    context: str
    state: str
    text: str
    connection: str
    repository: str
    commit: str
    told: bool
    tries: int
    next_try_at: datetime | None
    last_error: str | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        next_try_at = document["next_try_at"]
        return cls(
            context=document["context"],
            state=document["state"],
            text=document["text"],
            connection=document["connection"],
            repository=document["repository"],
            commit=document["commit"],
            told=bool(document["told"]),
            tries=int(document["tries"]),
            next_try_at=None if next_try_at is None else datetime.fromisoformat(next_try_at),
            last_error=document["last_error"],
            document=document,
        )
