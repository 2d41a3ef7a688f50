"""The answers about those who call, as the OpenAPI document describes them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from lineshaft.model.principal import Means
from lineshaft.model.role import Role
from lineshaft.server.documents import Document
from lineshaft.server.requests import BOUND


class UserDocument(Document):
    """A user."""

    name: str
    role: Role | None = Field(description="For all pipelines and what belongs to none; null means none.")
    has_password: bool = Field(description="Whether they can sign in by a password.")
    issuer: str | None = Field(description="The OpenID Connect provider that they sign in at.")
    from_settings: bool = Field(description="Whether the server's settings name them.")
    created_at: datetime | None
    disabled_at: datetime | None = Field(description="Since when they may not sign in; null where they may.")
    last_seen_at: datetime | None = Field(description="When they last called, to the minute.")


class NamedGrantDocument(Document):
    """A user's role on one pipeline."""

    pipeline_id: UUID
    pipeline: str | None = Field(description="The pipeline's name; null where it was deleted.")
    role: Role


class UserDetailDocument(UserDocument):
    """A user, with the roles on single pipelines."""

    grants: list[NamedGrantDocument]


class UserPage(Document):
    """Some of the users, by name."""

    items: list[UserDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class GrantDocument(Document):
    """What a user is to a pipeline."""

    user: str
    pipeline_id: UUID
    role: Role


class GrantPage(Document):
    """Some of those who have a role on a pipeline, by name."""

    items: list[GrantDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class TokenDocument(Document):
    """What is known of a token."""

    id: UUID
    user: str
    name: str
    role: Role = Field(description="The highest role that it carries.")
    pipelines: list[UUID] | None = Field(description="The only pipelines that it is for; null means all.")
    created_at: datetime
    expires_at: datetime | None
    certificate: str | None = Field(description=BOUND)
    last_used_at: datetime | None = Field(description="When it was last shown, to the minute.")


class NewTokenDocument(Document):
    """A token that was made just now."""

    id: UUID
    user: str
    name: str
    role: Role = Field(description="The highest role that it carries.")
    pipelines: list[UUID] | None = Field(description="The only pipelines that it is for; null means all.")
    token: str = Field(description="The token itself, which is never told again.")
    created_at: datetime
    expires_at: datetime | None
    certificate: str | None = Field(description=BOUND)


class TokenPage(Document):
    """Some of a user's tokens, by name."""

    items: list[TokenDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class MeDocument(Document):
    """Who calls."""

    name: str
    means: Means = Field(description="By what that is known.")
    role: Role | None = Field(description="For all pipelines and what belongs to none; null means none.")
    grants: list[NamedGrantDocument] = Field(description="The roles on single pipelines.")
    token: TokenDocument | None = Field(
        description="The token that was shown, which leaves the less of them."
    )


class SessionDocument(Document):
    """A browser that has signed in."""

    id: UUID
    username: str = Field(description="Who has signed in.", examples=["ada"])
    created_at: datetime = Field(description="When they signed in.")
    expires_at: datetime = Field(description="When it ends at the latest; without use it ends earlier.")
