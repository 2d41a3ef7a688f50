"""Worker keys as the API shows them; `wire.fleet` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from lineshaft.sdk.run import instant


@dataclass(frozen=True, slots=True)
class WorkerKeyView:
    """What is known of a worker key.

    Attributes:
        id: UUIDv7.
        name: unique among worker keys.
        worker: the name of the only worker that may use it; None means any.
        created_at: when it was made.
        expires_at: from when on it is worth nothing; None means never.
        last_used_at: when a worker last registered with it; None means not yet.
        kinds: the only kinds of work that it may serve; None means any.
        document: the JSON that this was read from.
        key: the key itself, where it was made just now; None in all other answers.
    """

    id: UUID
    name: str
    worker: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    document: Mapping[str, Any] = field(repr=False, compare=False)
    kinds: tuple[str, ...] | None = None
    key: str | None = field(default=None, repr=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            id=UUID(document["id"]),
            name=document["name"],
            worker=document["worker"],
            created_at=datetime.fromisoformat(document["created_at"]),
            expires_at=instant(document["expires_at"]),
            last_used_at=instant(document.get("last_used_at")),
            kinds=None if document.get("kinds") is None else tuple(document["kinds"]),
            document=document,
            key=document.get("key"),
        )
