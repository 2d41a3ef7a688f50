"""The caller, as the API knows them; `wire.access` is where that is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lineshaft.model.principal import Means
from lineshaft.model.role import Role
from lineshaft.sdk.token import TokenView
from lineshaft.sdk.user import GrantView, role_of


@dataclass(frozen=True, slots=True)
class MeView:
    """Who calls.

    Attributes:
        name: the user's.
        means: by what that is known.
        role: for all pipelines and for what belongs to none; None means only what grants say.
        grants: the roles on single pipelines.
        token: the token that was shown, which leaves the less of them; None where none was.
        document: the JSON that this was read from.
    """

    name: str
    means: Means
    role: Role | None
    grants: tuple[GrantView, ...]
    token: TokenView | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def highest_role(self) -> Role | None:
        """The highest role that they have anywhere, with what a token leaves of it; None for none."""
        roles = [grant.role for grant in self.grants]
        if self.role is not None:
            roles.append(self.role)
        highest = max(roles, key=lambda role: role.rank, default=None)
        if highest is None or self.token is None:
            return highest
        return min(highest, self.token.role, key=lambda role: role.rank)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        token = document["token"]
        return cls(
            name=document["name"],
            means=Means(document["means"]),
            role=role_of(document["role"]),
            grants=tuple(GrantView.from_document(each) for each in document["grants"]),
            token=None if token is None else TokenView.from_document(token),
            document=document,
        )
