"""Tokens as the API shows them; `wire.access` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from lineshaft.model.role import Role
from lineshaft.sdk.run import instant


@dataclass(frozen=True, slots=True)
class TokenView:
    """What is known of a token.

    Attributes:
        id: UUIDv7.
        user: whose it is, by name.
        name: what people call it; unique among its user's.
        role: the highest role that it carries.
        pipelines: the ids of the only pipelines that it is for; None means all.
        created_at: when it was made.
        expires_at: from when on it is worth nothing; None means never.
        last_used_at: when it was last shown, to the minute; None means not yet.
        document: the JSON that this was read from.
        token: the token itself, where it was made just now; None in all other answers.
    """

    id: UUID
    user: str
    name: str
    role: Role
    pipelines: tuple[UUID, ...] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    document: Mapping[str, Any] = field(repr=False, compare=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        pipelines = document["pipelines"]
        return cls(
            id=UUID(document["id"]),
            user=document["user"],
            name=document["name"],
            role=Role(document["role"]),
            pipelines=None if pipelines is None else tuple(UUID(each) for each in pipelines),
            created_at=datetime.fromisoformat(document["created_at"]),
            expires_at=instant(document["expires_at"]),
            last_used_at=instant(document.get("last_used_at")),
            document=document,
            token=document.get("token"),
        )
