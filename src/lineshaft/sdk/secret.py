"""Secrets as the API shows them; `wire.secret` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SecretView:
    """What is known of a secret, which is all but its value.

    Attributes:
        name: as tasks name it.
        pipeline_id: the only pipeline that it is for; None means all.
        environment: the only environment that it is for; None means any task.
        version: of the value, from 1.
        created_at: when it was first set.
        updated_at: when its value was last set.
        updated_by: who set it.
        for_server: whether it is for the server alone, which gives it to no task.
        document: the JSON that this was read from.
    """

    name: str
    pipeline_id: UUID | None
    environment: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
    for_server: bool
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        pipeline_id = document["pipeline_id"]
        return cls(
            name=document["name"],
            pipeline_id=None if pipeline_id is None else UUID(pipeline_id),
            environment=document["environment"],
            version=int(document["version"]),
            created_at=datetime.fromisoformat(document["created_at"]),
            updated_at=datetime.fromisoformat(document["updated_at"]),
            updated_by=document["updated_by"],
            for_server=bool(document.get("for_server")),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class ResealedView:
    """What came of sealing everything with the current key.

    Attributes:
        key_id: the current key.
        count: how many secrets were sealed anew.
        unopened: those that none of the server's keys opens; they are as they were.
        signing_keys: how many keys that sign identity tokens were sealed anew.
        document: the JSON that this was read from.
    """

    key_id: str
    count: int
    unopened: tuple[SecretView, ...]
    signing_keys: int
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            key_id=document["key_id"],
            count=int(document["resealed"]),
            unopened=tuple(SecretView.from_document(each) for each in document["unopened"]),
            signing_keys=int(document.get("signing_keys", 0)),
            document=document,
        )
