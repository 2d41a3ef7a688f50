"""Users, and what they are to pipelines, as the API shows them; `wire.access` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from lineshaft.model.role import Role
from lineshaft.sdk.run import instant


@dataclass(frozen=True, slots=True)
class GrantView:
    """What a user is to a pipeline.

    Attributes:
        pipeline_id: the pipeline.
        role: what the user is there.
        user: the user's name; None where the answer is about one user.
        pipeline: the pipeline's name; None where it was deleted, or the answer is about one pipeline.
        document: the JSON that this was read from.
    """

    pipeline_id: UUID
    role: Role
    user: str | None
    pipeline: str | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            pipeline_id=UUID(document["pipeline_id"]),
            role=Role(document["role"]),
            user=document.get("user"),
            pipeline=document.get("pipeline"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class UserView:
    """A user.

    Attributes:
        name: what they sign in with.
        role: for all pipelines and for what belongs to none; None means only what grants say.
        has_password: whether they can sign in by a password.
        issuer: the OpenID Connect provider that they sign in at; None where they do not.
        from_settings: whether the server's settings name them.
        created_at: when they were made; None where that was before it was kept.
        disabled_at: since when they may not sign in; None where they may.
        last_seen_at: when they last called, to the minute; None means not yet.
        grants: the roles on single pipelines; empty in lists, which do not tell them.
        document: the JSON that this was read from.
    """

    name: str
    role: Role | None
    has_password: bool
    issuer: str | None
    from_settings: bool
    created_at: datetime | None
    disabled_at: datetime | None
    last_seen_at: datetime | None
    grants: tuple[GrantView, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            name=document["name"],
            role=role_of(document["role"]),
            has_password=document["has_password"],
            issuer=document["issuer"],
            from_settings=document["from_settings"],
            created_at=instant(document["created_at"]),
            disabled_at=instant(document["disabled_at"]),
            last_seen_at=instant(document["last_seen_at"]),
            grants=tuple(GrantView.from_document(each) for each in document.get("grants", ())),
            document=document,
        )


def role_of(text: str | None) -> Role | None:
    """Read a role that may be none."""
    return None if text is None else Role(text)
