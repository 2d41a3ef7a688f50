"""Worker keys: made, listed, revoked, and told from what is none."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final
from uuid import UUID, uuid5

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import BadWorkerKeyError, ConflictError, InvalidInputError, NotFoundError, Problem
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.worker_key import WorkerCaller, WorkerKey
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record

PREFIX: Final = "lsw_"
"""How the keys that are made here begin, so that people and scanners of secrets know one when they see it."""

KNOWN_FOR: Final = timedelta(seconds=2)
"""How long what the database says of keys is taken for true, and a key good that elsewhere was revoked."""

FileKeys = Callable[[], Mapping[str, WorkerCaller]]
"""Tells which keys the keys file holds at this moment: who calls with them, by the SHA-256 in hexadecimal."""

_RANDOM_BYTES: Final = 32
_FILE_KEYS: Final = UUID("7be9a3a2-64c1-5d2a-9d6a-2b1f3a0f6c5e")
"""The namespace (RFC 9562, section 5.5) of the ids of keys that stand in a file."""


def key_hash(key: bytes) -> str:
    """Tell by what a key is kept: its SHA-256 in hexadecimal."""
    return hashlib.sha256(key).hexdigest()


def file_caller(of_hash: str) -> WorkerCaller:
    """Tell who calls with a key of a file: any worker, under an id that follows from the key."""
    return WorkerCaller(uuid5(_FILE_KEYS, of_hash))


def no_file_keys() -> Mapping[str, WorkerCaller]:
    """Stand for a keys file where there is none."""
    return {}


class WorkerKeyService:
    """The use cases of worker keys.

    Each call of a worker shows its key. So all keys that the database holds are remembered for a moment, by
    their hashes, and read again together: the cost does not grow with the number of workers.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, file_keys: FileKeys) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._file_keys = file_keys
        self._known: Mapping[str, WorkerKey] = {}
        self._known_until: datetime | None = None
        self._turn = asyncio.Lock()

    async def create(
        self,
        name: str,
        *,
        worker: str | None = None,
        expires_at: datetime | None = None,
        certificate: str | None = None,
        kinds: frozenset[str] | None = None,
        by: Actor = INSIDE_ACTOR,
    ) -> tuple[WorkerKey, str]:
        """Make a key; this is the only time that it is told.

        Args:
            name: what people call it; unique.
            worker: the name of the only worker that may use it; None means any.
            expires_at: from when on it is worth nothing; None means never.
            certificate: the thumbprint of the only client certificate with which it is good; None binds it to
                none.
            kinds: the only kinds of work that it may serve; None means any.
            by: who wants it.

        Returns:
            What is kept of it, and the key.

        Raises:
            InvalidInputError: `expires_at` has passed.
            ConflictError: there is one of that name.
        """
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidInputError(
                "The key would have expired already.",
                problems=[Problem("expires_at", "must be in the future")],
            )
        secret = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        key = WorkerKey(
            self._ids.new_id(),
            name,
            key_hash(secret.encode()),
            worker,
            now,
            expires_at,
            certificate=certificate,
            kinds=kinds,
        )

        def work(transaction: Transaction) -> None:
            if not transaction.worker_keys.add(key):
                raise ConflictError(
                    f"There is a worker key named '{name}'.",
                    advice="Choose another name, or revoke that one first.",
                )
            self._record(transaction, by, Action.WORKER_KEY_CREATED, key)

        await self._store.write(work)
        return key, secret

    async def page(self, *, after: str | None, limit: int) -> Sequence[WorkerKey]:
        """List the keys that were made here by name, from behind `after`; expired ones are among them."""
        keys = await self._store.read(lambda transaction: transaction.worker_keys.all())
        # Databases order names each in their own way.
        behind = (key for key in keys if after is None or key.name > after)
        return sorted(behind, key=attrgetter("name"))[:limit]

    async def revoke(self, key_id: UUID, *, by: Actor = INSIDE_ACTOR) -> None:
        """Make a key worth nothing: here at once, in other processes within `KNOWN_FOR`.

        Args:
            key_id: the key's id.
            by: who wants it.

        Raises:
            NotFoundError: there is none of that id.
        """

        def work(transaction: Transaction) -> None:
            key = transaction.worker_keys.get(key_id)
            if key is None:
                raise NotFoundError(
                    f"No worker key has the id {key_id}.",
                    advice="`lineshaft worker-key list` shows those there are.",
                )
            transaction.worker_keys.remove(key_id)
            self._record(transaction, by, Action.WORKER_KEY_REVOKED, key)

        try:
            await self._store.write(work)
        finally:
            self._known_until = None

    async def caller(self, key: bytes, certificate: str | None = None) -> WorkerCaller:
        """Tell who calls with a key.

        Args:
            key: as it was shown.
            certificate: the thumbprint of the client certificate that was shown with it; None where none was.

        Raises:
            BadWorkerKeyError: it is wrong, empty, expired or revoked, or good only with another certificate.
            StoreUnavailableError: the database does not answer.
        """
        if not key:
            raise BadWorkerKeyError
        shown = key_hash(key)
        # What is looked up is a hash, so that how long that takes tells nothing of any key.
        in_file = self._file_keys().get(shown)
        if in_file is not None:
            return in_file
        known = await self._find(shown)
        if known is None or not hmac.compare_digest(known.hash, shown) or known.expired(self._clock.now()):
            raise BadWorkerKeyError
        if known.certificate is not None and known.certificate != certificate:
            raise BadWorkerKeyError(needs_certificate=True)
        return WorkerCaller(known.id, known.worker, known.kinds)

    def opens(self, transaction: Transaction, key_id: UUID) -> bool:
        """Tell whether a key that was good once is still good."""
        if any(caller.key_id == key_id for caller in self._file_keys().values()):
            return True
        key = transaction.worker_keys.get(key_id)
        return key is not None and not key.expired(self._clock.now())

    def _record(self, transaction: Transaction, by: Actor, action: Action, key: WorkerKey) -> None:
        record(
            transaction,
            ids=self._ids,
            now=self._clock.now(),
            by=by,
            action=action,
            target=key.name,
            key_id=str(key.id),
            worker=key.worker,
            kinds=None if key.kinds is None else sorted(key.kinds),
        )

    async def _find(self, shown: str) -> WorkerKey | None:
        if not self._are_known():
            async with self._turn:
                if not self._are_known():
                    until = self._clock.now() + KNOWN_FOR
                    keys = await self._store.read(lambda transaction: transaction.worker_keys.all())
                    self._known, self._known_until = {key.hash: key for key in keys}, until
        known = self._known.get(shown)
        if known is None:
            # It may have been made since.
            known = await self._store.read(lambda transaction: transaction.worker_keys.of_hash(shown))
        return known

    def _are_known(self) -> bool:
        return self._known_until is not None and self._clock.now() < self._known_until
