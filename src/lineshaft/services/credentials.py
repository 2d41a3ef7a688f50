"""Credentials: who calls, told by name and password."""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lineshaft.model.errors import BadCredentialsError
from lineshaft.model.role import Role
from lineshaft.model.user import User
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Store

_REMEMBERED: Final = 1_000
_REMEMBERED_FOR: Final = timedelta(minutes=1)


class CredentialService:
    """Checks passwords against their argon2id hashes (RFC 9106, the library's default parameters).

    A check costs tens of milliseconds by design, so that a success is remembered for a minute, under a keyed
    digest that cannot be turned back into the password.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._hasher = PasswordHasher()
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, tuple[User, datetime]] = OrderedDict()
        # One at a time: a check takes 64 MiB, and a flood of wrong ones must not take them all at once.
        self._turn = asyncio.Semaphore(1)

    @cached_property
    def _decoy(self) -> str:
        return self._hasher.hash(secrets.token_hex())

    async def ensure_user(self, name: str, password: str) -> None:
        """Make sure that a user of this name and password exists."""
        user = await self._store.read(lambda transaction: transaction.users.get(name))
        if user is None or not await asyncio.to_thread(self._matches, user.password_hash, password):
            new = User(name, await asyncio.to_thread(self._hasher.hash, password), Role.ADMIN)
            await self._store.write(lambda transaction: transaction.users.put(new))

    async def retire(self, name: str, password: str) -> None:
        """Make sure that these credentials are good for nothing; the user's own, other password stays."""
        user = await self._store.read(lambda transaction: transaction.users.get(name))
        if user is not None and await asyncio.to_thread(self._matches, user.password_hash, password):
            self._remembered.clear()
            await self.ensure_user(name, secrets.token_urlsafe())

    def remembered(self, name: str, password: str) -> User | None:
        """Return the user when these very credentials were good a moment ago; costs microseconds."""
        found = self._remembered.get(self._digest(name, password))
        return found[0] if found is not None and found[1] > self._clock.now() else None

    async def check(self, name: str, password: str) -> User:
        """Return the user with these credentials.

        Raises:
            BadCredentialsError: there is none; it takes as long whether the name exists or not.
        """
        user = self.remembered(name, password)
        if user is not None:
            return user
        async with self._turn:
            user = self.remembered(name, password)
            if user is not None:
                return user
            user = await self._store.read(lambda transaction: transaction.users.get(name))
            encoded = self._decoy if user is None else user.password_hash
            matches = await asyncio.to_thread(self._matches, encoded, password)
        if user is None or not matches:
            raise BadCredentialsError
        self._remembered[self._digest(name, password)] = (user, self._clock.now() + _REMEMBERED_FOR)
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return user

    def forget(self) -> None:
        """Ask the database anew about everyone who calls from now on."""
        self._remembered.clear()

    def _matches(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    def _digest(self, name: str, password: str) -> bytes:
        text = f"{len(name)}:{name}{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, hashlib.sha256)
