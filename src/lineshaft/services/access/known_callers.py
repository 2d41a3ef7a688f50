"""Who calls, as the database knows them, remembered for a moment.

What the database says is taken for true for two seconds, so that what changes there holds in every process
within that time, and in the process that changes it at once: whoever changes users, grants, tokens or
sessions calls `KnownCallers.forget` behind the commit.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lineshaft.model.principal import Means, Principal
from lineshaft.model.role import Roles
from lineshaft.model.user import User
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.access.noting import Noting

KNOWN_FOR: Final = timedelta(seconds=2)

DEFAULT_SESSION_IDLE: Final = timedelta(hours=1)
"""For how long a browser session may go unused, unless a server is set up otherwise."""

_REMEMBERED: Final = 10_000

Key = tuple[Means, str]
"""What is shown: a user's name, with a password; or the SHA-256 of a token or session, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """A user as the database knows them, by one of the things that they may show.

    Attributes:
        user: the user.
        principal: the user with roles and scope.
        expires_at: from when on what was shown is worth nothing; None means never.
        certificate: the thumbprint of the client certificate that has to be shown with it; None means none.
    """

    user: User
    principal: Principal
    expires_at: datetime | None = None
    certificate: str | None = None


class KnownCallers:
    """Finds callers, and remembers for a moment whom it has found; for others it looks anew."""

    def __init__(
        self, store: Store, clock: Clock, noting: Noting, session_idle: timedelta = DEFAULT_SESSION_IDLE
    ) -> None:
        """Begin with nobody known.

        Args:
            store: where they are.
            clock: tells the time.
            noting: knows of browser sessions that were used a moment ago.
            session_idle: for how long a session may go unused.
        """
        self._store = store
        self._clock = clock
        self._noting = noting
        self._session_idle = session_idle
        self._known: OrderedDict[Key, tuple[KnownCaller, datetime]] = OrderedDict()
        self._looking: dict[Key, asyncio.Task[KnownCaller | None]] = {}

    def at_hand(self, key: Key) -> KnownCaller | None:
        """Find a caller without asking the database."""
        found = self._known.get(key)
        if found is None:
            return None
        now = self._clock.now()
        known, until = found
        return known if now < until and (known.expires_at is None or now < known.expires_at) else None

    async def find(self, key: Key) -> KnownCaller | None:
        """Find a caller; None where what they show is nobody's, or not worth anything any more.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        known = self.at_hand(key)
        if known is not None:
            return known
        looking = self._looking.get(key)
        if looking is None:
            looking = self._looking[key] = asyncio.create_task(self._look(key))
            looking.add_done_callback(lambda task: self._looked(key, task))
        return await asyncio.shield(looking)

    def forget(self) -> None:
        """Ask the database anew about everyone who calls from now on."""
        self._known.clear()
        # What is being looked for may have been found in front of the change.
        self._looking.clear()

    def _looked(self, key: Key, task: asyncio.Task[KnownCaller | None]) -> None:
        if self._looking.get(key) is task:
            del self._looking[key]
        if not task.cancelled():
            task.exception()  # Whoever asked has been told, unless they are gone.

    async def _look(self, key: Key) -> KnownCaller | None:
        asked_at = self._clock.now()
        found = await self._store.read(lambda transaction: self._read(transaction, key, asked_at))
        if found is not None and self._looking.get(key) is asyncio.current_task():
            self._known[key] = (found, asked_at + KNOWN_FOR)
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _read(self, transaction: Transaction, key: Key, now: datetime) -> KnownCaller | None:
        means, shown = key
        match means:
            case Means.PASSWORD:
                return _caller(transaction, shown, Principal(shown, means, Roles()))
            case Means.TOKEN:
                return _of_token(transaction, shown, now)
            case Means.SESSION:
                return self._of_session(transaction, shown, now)
            case Means.WORKER_KEY | Means.INSIDE:
                return None

    def _of_session(self, transaction: Transaction, shown: str, now: datetime) -> KnownCaller | None:
        session = transaction.browser_sessions.of_hash(shown)
        if session is None or session.expires_at <= now:
            return None
        if self._noting.last_seen(session.id, session.seen_at) + self._session_idle <= now:
            return None
        bare = Principal(session.user, Means.SESSION, Roles(), credential_id=session.id)
        return _caller(transaction, session.user, bare, expires_at=session.expires_at)


def _of_token(transaction: Transaction, shown: str, now: datetime) -> KnownCaller | None:
    token = transaction.tokens.of_hash(shown)
    if token is None or token.expired(now):
        return None
    bare = Principal(token.user, Means.TOKEN, Roles(), token.scope, token.id)
    return _caller(transaction, token.user, bare, expires_at=token.expires_at, certificate=token.certificate)


def _caller(
    transaction: Transaction,
    name: str,
    bare: Principal,
    *,
    expires_at: datetime | None = None,
    certificate: str | None = None,
) -> KnownCaller | None:
    user = transaction.users.get(name)
    if user is None or user.disabled_at is not None:
        return None
    roles = Roles(user.role, {grant.pipeline_id: grant.role for grant in transaction.grants.of_user(name)})
    principal = Principal(bare.name, bare.means, roles, bare.scope, bare.credential_id)
    return KnownCaller(user, principal, expires_at, certificate)
