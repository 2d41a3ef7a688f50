"""Browser sessions: begun by signing in, ended by signing out, by time, or when the password changes."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from lineshaft.model.audit_entry import Action
from lineshaft.model.browser_session import BrowserSession
from lineshaft.model.errors import BadCredentialsError
from lineshaft.model.principal import Actor, Means
from lineshaft.model.user import User
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.access.known_callers import DEFAULT_SESSION_IDLE, KnownCallers
from lineshaft.services.auditing import record

T = TypeVar("T")

_RANDOM_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long browser sessions last.

    Attributes:
        lifetime: from signing in on, used or not.
        idle: without being used.
    """

    lifetime: timedelta = timedelta(hours=12)
    idle: timedelta = DEFAULT_SESSION_IDLE


DEFAULT_TIMES: Final = SessionTimes()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun.

    Attributes:
        session: what is kept of it.
        cookie: the value that the browser is to show; it is told nowhere else.
    """

    session: BrowserSession
    cookie: str


def cookie_hash(cookie: bytes) -> str:
    """Tell by what a cookie's value is kept: its SHA-256 in hexadecimal."""
    return hashlib.sha256(cookie).hexdigest()


class BrowserSessionService:
    """The use cases of browser sessions."""

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, callers: KnownCallers, times: SessionTimes = DEFAULT_TIMES
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._callers = callers
        self.times: Final = times

    async def sign_in(self, user: User, by: Actor, *, former: bytes | None = None) -> SignedIn:
        """Begin a session for a user whose password was right a moment ago.

        Args:
            user: as the password was checked against.
            by: from where they sign in.
            former: what the browser has shown so far; that session ends.

        Raises:
            BadCredentialsError: the user has been changed since.
        """

        def work(transaction: Transaction) -> SignedIn:
            found = transaction.users.hold(user.name)
            if found is None or found.disabled_at is not None or found.password_hash != user.password_hash:
                raise BadCredentialsError
            return self.begin(transaction, found, by, provider=None, former=former)

        return await self.written(work)

    async def written(self, work: Callable[[Transaction], T]) -> T:
        """Run and commit a function that begins or ends sessions, so that it holds at once."""
        result = await self._store.write(work)
        self._callers.forget()
        return result

    def begin(
        self, transaction: Transaction, user: User, by: Actor, *, provider: str | None, former: bytes | None
    ) -> SignedIn:
        """Begin a session, under a new secret whatever the browser has shown before.

        Args:
            transaction: in which it begins.
            user: whose.
            by: from where they sign in.
            provider: the issuer where they have proved who they are; None means here, by their password.
            former: what the browser has shown so far; that session ends.
        """
        now = self._clock.now()
        if former is not None:
            self._end_former(transaction, former, by, now)
        cookie = secrets.token_urlsafe(_RANDOM_BYTES)
        session = BrowserSession(
            self._ids.new_id(),
            user.name,
            cookie_hash(cookie.encode()),
            created_at=now,
            expires_at=now + self.times.lifetime,
            seen_at=_to_the_minute(now),
        )
        transaction.browser_sessions.add(session)
        transaction.users.seen(user.name, _to_the_minute(now))
        actor = replace(by, name=user.name, means=Means.SESSION, credential_id=session.id)
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=actor,
            action=Action.SIGNED_IN,
            target=user.name,
            provider=provider,
        )
        return SignedIn(session, cookie)

    async def sign_out(self, cookie: bytes, by: Actor) -> bool:
        """End the session that a browser shows; False when there is none."""

        def work(transaction: Transaction) -> bool:
            return self._end_former(transaction, cookie, by, self._clock.now())

        return await self.written(work)

    async def of_cookie(self, cookie: bytes) -> BrowserSession | None:
        """Find the session that a cookie is of, whether it is over or not; None where there is none."""
        of_hash = cookie_hash(cookie)
        return await self._store.read(lambda transaction: transaction.browser_sessions.of_hash(of_hash))

    def _end_former(self, transaction: Transaction, cookie: bytes, by: Actor, now: datetime) -> bool:
        session = transaction.browser_sessions.of_hash(cookie_hash(cookie))
        if session is None or not transaction.browser_sessions.remove(session.id):
            return False
        actor = replace(by, name=session.user, means=Means.SESSION, credential_id=session.id)
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=actor,
            action=Action.SIGNED_OUT,
            target=session.user,
        )
        return True


def _to_the_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
