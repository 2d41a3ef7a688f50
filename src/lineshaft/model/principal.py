"""Principals: who calls, and by what that is known."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from lineshaft.model.role import Role, Roles, Scope


class Means(StrEnum):
    """By what a caller has shown who they are."""

    PASSWORD = "password"  # noqa: S105 - a word, not one.
    TOKEN = "token"  # noqa: S105 - a word, not one.
    SESSION = "session"
    WORKER_KEY = "worker_key"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user who calls.

    Attributes:
        name: the user's.
        means: how it is known.
        roles: the user's.
        scope: what the token that was shown leaves of them; None where none was.
        credential_id: of the token or session that was shown; None where none was.
    """

    name: str
    means: Means
    roles: Roles
    scope: Scope | None = None
    credential_id: UUID | None = None

    @property
    def visible(self) -> frozenset[UUID] | None:
        """The ids of the pipelines that they may see; None means all."""
        scoped = None if self.scope is None else self.scope.pipelines
        if self.roles.everywhere is not None:
            return scoped
        own = frozenset(self.roles.pipelines)
        return own if scoped is None else own & scoped


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the audit log.

    Attributes:
        name: of the user or worker; of what part of the server, where it is the server itself.
        means: by what that is known.
        address: the network address that the call came from; empty where it came from none.
        request_id: of the call, as the server's own log has it; empty where there was none.
        credential_id: of the token, session or worker key that was shown; None where none was.
    """

    name: str
    means: Means
    address: str = ""
    request_id: str = ""
    credential_id: UUID | None = None


INSIDE_ACTOR: Final = Actor("lineshaft", Means.INSIDE)
"""The server itself: its settings, its outbox, its clock."""

EVERYTHING: Final = Roles(Role.ADMIN)
"""The roles of an admin."""
