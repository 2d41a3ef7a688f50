"""Users, and what they show, for tests of who looks after them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx2

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.audit_entry import Action, AuditEntry
from lineshaft.model.principal import INSIDE_ACTOR, Actor, Means, Principal
from lineshaft.model.role import Role, Roles
from lineshaft.model.token import Token
from lineshaft.model.user import User
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.store import AuditFilter
from lineshaft.services.control_plane import ControlPlane
from planes import PASSWORD, USERNAME

SECRET = "open sesame"
"""The password of all users here."""

ADMIN = Principal(USERNAME, Means.PASSWORD, Roles(Role.ADMIN))
BY = Actor(USERNAME, Means.PASSWORD, "192.0.2.1")


@dataclass
class Accounts:
    """A control plane whose users a test looks after, and a server for it."""

    plane: ControlPlane
    clock: ManualClock
    url: str = ""

    async def user(self, name: str = "ada", role: Role | None = None) -> User:
        """Make a user."""
        return await self.plane.access.users.create(INSIDE_ACTOR, name, SECRET, role)

    async def find(self, name: str) -> User:
        """Read a user."""
        return (await self.plane.access.users.get(name))[0]

    async def pipeline(self, name: str = "shop") -> UUID:
        """Make a pipeline."""
        text = f"name: {name}\nsteps: [{{name: a, run: x}}]\n"
        return (await self.plane.pipelines.create(read_native(text.encode()))).id

    async def audit(self, action: Action) -> Sequence[AuditEntry]:
        """List what was recorded of a kind, newest first."""
        of = AuditFilter(action=action)
        return await self.plane.store.read(
            lambda transaction: transaction.audit.page(of, before=None, limit=100)
        )

    async def tokens(self, name: str) -> Sequence[Token]:
        """List a user's tokens."""
        return await self.plane.store.read(lambda transaction: transaction.tokens.of_user(name))

    @asynccontextmanager
    async def client(self, name: str = USERNAME) -> AsyncIterator[httpx2.AsyncClient]:
        """Call the server as a user."""
        auth = (name, PASSWORD if name == USERNAME else SECRET)
        async with httpx2.AsyncClient(base_url=self.url, auth=auth, timeout=60) as client:
            yield client

    @asynccontextmanager
    async def bearer(self, token: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Call the server with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60) as client:
            yield client


def principal(name: str, role: Role | None = None, pipelines: Mapping[UUID, Role] | None = None) -> Principal:
    """Say who someone is who shows a password."""
    return Principal(name, Means.PASSWORD, Roles(role, pipelines or {}))
