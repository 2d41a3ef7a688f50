"""Users and what they show, for tests: put into the database as they are."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from argon2 import PasswordHasher

from lineshaft.model.browser_session import BrowserSession
from lineshaft.model.grant import Grant
from lineshaft.model.role import Role, Scope
from lineshaft.model.token import Token
from lineshaft.model.user import User
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids, RandomIds
from lineshaft.ports.store import Store, Transaction

# As cheap as it gets: what a check costs is of no interest to most tests.
_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def password_hash(password: str) -> str:
    """Hash a password at next to no cost."""
    return _HASHER.hash(password)


@dataclass(frozen=True)
class People:
    """Makes users and what they show.

    Attributes:
        store: where they are put.
        clock: tells when.
        ids: makes ids.
    """

    store: Store
    clock: Clock
    ids: Ids = field(default_factory=RandomIds)

    async def user(
        self,
        name: str,
        role: Role | None = None,
        *,
        password: str = "correct horse",  # noqa: S107 - of a test.
        grants: Mapping[UUID, Role] | None = None,
        disabled: bool = False,
    ) -> User:
        """Make a user; without a password they cannot sign in with one."""
        encoded = password_hash(password) if password else ""
        user = User(name, encoded, role, disabled_at=self.clock.now() if disabled else None)

        def work(transaction: Transaction) -> None:
            transaction.users.put(user)
            for pipeline_id, granted in (grants or {}).items():
                transaction.grants.put(Grant(name, pipeline_id, granted))

        await self.store.write(work)
        return user

    async def change(self, user: User, **changes: object) -> User:
        """Change a user, as another process would."""
        changed = replace(user, **changes)  # type: ignore[arg-type]  # Tests name fields that there are.
        await self.store.write(lambda transaction: transaction.users.put(changed))
        return changed

    async def token(
        self,
        user: str,
        scope: Scope | None = None,
        *,
        expires_at: datetime | None = None,
        certificate: str | None = None,
    ) -> tuple[Token, str]:
        """Make a token, with all that its user may unless it is told otherwise."""
        secret = f"lst_{secrets.token_urlsafe(32)}"
        token = Token(
            self.ids.new_id(),
            user,
            secret[-8:],
            hashlib.sha256(secret.encode()).hexdigest(),
            scope or Scope(Role.ADMIN),
            self.clock.now(),
            expires_at,
            certificate=certificate,
        )
        await self.store.write(lambda transaction: transaction.tokens.add(token))
        return token, secret

    async def session(
        self, user: str, *, lifetime: timedelta = timedelta(hours=12)
    ) -> tuple[BrowserSession, str]:
        """Make a browser session."""
        cookie, now = secrets.token_urlsafe(32), self.clock.now()
        of_hash = hashlib.sha256(cookie.encode()).hexdigest()
        session = BrowserSession(self.ids.new_id(), user, of_hash, now, now + lifetime, now)
        await self.store.write(lambda transaction: transaction.browser_sessions.add(session))
        return session, cookie
