"""Worker keys: what a worker proves itself with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5


@dataclass(frozen=True, slots=True)
class WorkerKey:
    """A key that was made by the API. It is shown once; only its hash is kept.

    Attributes:
        id: UUIDv7.
        name: what people call it; unique among worker keys.
        hash: the SHA-256 of the key, in hexadecimal. The key has 256 random bits, so that no slower hash is
            needed.
        worker: the name of the only worker that may use it; None means any.
        created_at: when it was made.
        expires_at: from when on it is worth nothing; None means never.
        last_used_at: when a worker last registered with it; None means not yet.
        certificate: the SHA-256 thumbprint, in hexadecimal, of the only client certificate with which it may
            be shown (RFC 8705); None where it is not bound to one.
        kinds: the only kinds of work that it may serve; None means any.
    """

    id: UUID
    name: str
    hash: str
    worker: str | None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    certificate: str | None = None
    kinds: frozenset[str] | None = None

    def expired(self, now: datetime) -> bool:
        """Tell whether it is worth nothing any more."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class WorkerCaller:
    """Who calls the worker protocol.

    Attributes:
        key_id: of the worker key that was shown, which a session is bound to; None for the worker inside the
            server, and for users.
        worker: the name of the only worker that it may speak for; None means any.
        kinds: the only kinds of work that it may serve; None means any.
    """

    key_id: UUID | None = None
    worker: str | None = None
    kinds: frozenset[str] | None = None


INSIDE: Final = WorkerCaller()
"""The worker inside the server, and users: they may speak for any worker that no key stands behind."""

_DRIVERS: Final = UUID("6c696e65-7368-5166-b174-647269766572")


def driver_caller(driver: str) -> WorkerCaller:
    """Tell who calls where somebody else has seen to it that it is a driver, and which.

    It has a key of its own, which nobody can show.
    """
    return WorkerCaller(uuid5(_DRIVERS, driver), kinds=frozenset({driver}))
