"""Credentials: who calls, told by name and password."""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lineshaft.model.errors import BadCredentialsError
from lineshaft.model.principal import Means
from lineshaft.model.user import User
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Store
from lineshaft.services.access.known_callers import KnownCallers
from lineshaft.services.access.noting import Noting
from lineshaft.services.access.proof import Proof
from lineshaft.services.access.wrong_credentials import WrongCredentials, network

_REMEMBERED: Final = 1_000
_REMEMBERED_FOR: Final = timedelta(minutes=1)

Pause = Callable[[float], Awaitable[None]]
"""Waits for some seconds."""


@dataclass(slots=True)
class _Line:
    """Those from one address who wait for a password to be checked."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class CredentialService:
    """Checks passwords against their argon2id hashes (RFC 9106, the library's default parameters).

    A check costs tens of milliseconds by design, so that a success is remembered for a minute, under a keyed
    digest that cannot be turned back into the password. It is worth something only as long as the user's
    password is the one that it was.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        callers: KnownCallers,
        wrong: WrongCredentials,
        noting: Noting,
        *,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Begin with nothing remembered.

        Args:
            store: where users are.
            clock: tells the time.
            callers: the users as they were a moment ago.
            wrong: counts wrong passwords.
            noting: has refusals written.
            pause: puts a check off.
        """
        self._store = store
        self._clock = clock
        self._callers = callers
        self._wrong = wrong
        self._noting = noting
        self._pause = pause
        self._hasher = PasswordHasher()
        self._decoy = _unmatchable(self._hasher)
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, tuple[Proof, datetime]] = OrderedDict()
        self._lines: dict[str, _Line] = {}
        # One at a time: a check takes 64 MiB, and a flood of wrong ones must not take them all at once.
        self._turn = asyncio.Semaphore(1)

    def forget(self, name: str) -> None:  # noqa: ARG002 - whose it is does not matter: it happens seldom.
        """Ask the database anew about a user when they call next; to be told behind each change of them.

        A change is of them, their roles, grants, tokens or sessions.
        """
        self._callers.forget()

    def remembered(self, name: str, password: str) -> Proof | None:
        """Find what these very credentials proved within the last minute; costs microseconds.

        Whoever asks sees beforehand whether the caller may guess at all, and afterwards whether the proof
        still holds.
        """
        found = self._remembered.get(self._digest(name, password))
        return found[0] if found is not None and found[1] > self._clock.now() else None

    async def check(self, name: str, password: str, address: str = "") -> User:
        """Return the user with these credentials.

        Args:
            name: the user's.
            password: the user's.
            address: the network address that they come from.

        Raises:
            BadCredentialsError: there is none; it takes as long whether the name exists or not.
            TooManyAttemptsError: the address has shown too many wrong ones.
            StoreUnavailableError: the database does not answer.
        """
        user = await self._look_up(name, password, address)
        if user is not None:
            return user
        async with self._one_of(address):
            user = await self._look_up(name, password, address)
            if user is not None:
                return user
            delay = self._wrong.delay(name)
            if delay:
                await self._pause(delay.total_seconds())
            async with self._turn:
                user = await self._matching(name, password)
            if user is None:
                if self._wrong.count(address, name):
                    self._noting.refused(name, Means.PASSWORD, address)
                raise BadCredentialsError
            self._remember(user, password)
            return user

    async def _look_up(self, name: str, password: str, address: str) -> User | None:
        self._wrong.refuse_guessing(address, name)
        proof = self.remembered(name, password)
        if proof is None:
            return None
        known = await self._callers.find(proof.key)
        return known.user if known is not None and proof.fits(known) else None

    @asynccontextmanager
    async def _one_of(self, address: str) -> AsyncIterator[None]:
        """Let one from each address have a password checked, so that a crowd from one holds up no other.

        Those behind it see how it went before it is their turn.
        """
        place = network(address)
        line = self._lines.setdefault(place, _Line())
        line.length += 1
        try:
            async with line.lock:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[place]

    async def _matching(self, name: str, password: str) -> User | None:
        user = await self._store.read(lambda transaction: transaction.users.get(name))
        encoded = self._decoy if user is None or not user.password_hash else user.password_hash
        matches = await asyncio.to_thread(self._matches, encoded, password)
        return user if user is not None and matches and user.disabled_at is None else None

    def _remember(self, user: User, password: str) -> None:
        proof = Proof((Means.PASSWORD, user.name), user.password_hash)
        digest = self._digest(user.name, password)
        self._remembered[digest] = (proof, self._clock.now() + _REMEMBERED_FOR)
        self._remembered.move_to_end(digest)
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)

    def _matches(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password.encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False

    def _digest(self, name: str, password: str) -> bytes:
        text = f"{len(name)}:{name}{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, hashlib.sha256)


def _unmatchable(hasher: PasswordHasher) -> str:
    """Make the hash of no password, whose check takes as long as that of any other."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"
