"""The bodies of requests that make and change users, grants and tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, WithJsonSchema, field_validator

from lineshaft.model.role import Role
from lineshaft.model.token import Expiry
from lineshaft.model.user import LONGEST_USERNAME, USERNAME_PATTERN, USERNAME_RULE, is_username
from lineshaft.server.requests import BOUND, Request, Thumbprint, in_utc
from lineshaft.services.access.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, password_complaint
from lineshaft.services.access.tokens import TokenRequest
from lineshaft.services.access.users import Unchanged, UserChange
from lineshaft.wire.worker import WorkerName

_PIPELINES_LIMIT = 200


def _username(text: str) -> str:
    if not is_username(text):
        raise ValueError(USERNAME_RULE)
    return text


def _new_password(text: str) -> str:
    complaint = password_complaint(text)
    if complaint is not None:
        raise ValueError(complaint)
    return text


UserName = Annotated[
    str,
    AfterValidator(_username),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": LONGEST_USERNAME, "pattern": USERNAME_PATTERN}
    ),
]

NewPassword = Annotated[
    str,
    AfterValidator(_new_password),
    WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "minLength": SHORTEST_PASSWORD,
            "maxLength": LONGEST_PASSWORD,
        }
    ),
]


class NewUserRequest(Request):
    """A user who is to be made."""

    name: UserName = Field(description="What they sign in with; unique among users.")
    password: NewPassword = Field(repr=False, description="Not one of the commonest, and not the name.")
    role: Role | None = Field(
        default=None, description="For all pipelines and what belongs to none; null means none."
    )


class UserChangeRequest(Request):
    """What is to be different of a user; what is left out stays."""

    role: Role | None = Field(
        default=None, description="For all pipelines and what belongs to none; null takes it away."
    )
    password: NewPassword = Field(default_factory=str, repr=False, description="Ends their sessions.")
    disabled: bool = Field(
        default_factory=bool, description="Whether they may not sign in; true ends sessions and tokens."
    )

    def to_change(self) -> UserChange:
        """Say it as the services take it."""
        said = self.model_fields_set
        return UserChange(
            role=self.role if "role" in said else Unchanged.UNCHANGED,
            password=self.password if "password" in said else None,
            disabled=self.disabled if "disabled" in said else None,
        )


class OwnPasswordRequest(Request):
    """A new password for the caller."""

    password: str = Field(max_length=LONGEST_PASSWORD * 4, repr=False, description="The present one.")
    new_password: NewPassword = Field(repr=False, description="Not one of the commonest, and not the name.")


class GrantRequest(Request):
    """What a user is to be to a pipeline."""

    role: Role = Field(description="`viewer`, `runner`, `approver` or `maintainer`.")


class NewTokenRequest(Request):
    """A token that is to be made."""

    name: WorkerName = Field(description="What people call it; unique among one's own tokens.")
    role: Role | None = Field(
        default=None,
        description="The highest role that it carries; null means `runner`, or one's own where that is less.",
    )
    pipelines: Annotated[list[UUID], Field(min_length=1, max_length=_PIPELINES_LIMIT)] | None = Field(
        default=None, description="The ids of the only pipelines that it is for; null means all."
    )
    expires_at: AwareDatetime | None = Field(
        default=None,
        description="From when on it is worth nothing: in 90 days where it is left out; null means never.",
    )
    certificate: Thumbprint | None = Field(default=None, description=BOUND)

    @field_validator("expires_at")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        return in_utc(moment)

    def to_request(self) -> TokenRequest:
        """Say it as the services take it."""
        expires: datetime | Expiry = Expiry.DEFAULT
        if "expires_at" in self.model_fields_set:
            expires = Expiry.NEVER if self.expires_at is None else self.expires_at
        return TokenRequest(
            self.name,
            self.role,
            None if self.pipelines is None else frozenset(self.pipelines),
            expires,
            self.certificate,
        )
