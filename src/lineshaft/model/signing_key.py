"""Signing keys: what identity tokens are signed with, and when each is used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from lineshaft.model.secret import SealedValue

SIGNS_FOR: Final = timedelta(days=30)
"""How long a key signs before the next one does."""

KNOWN_BEFORE: Final = timedelta(hours=1)
"""How long a key is public before it signs, so that no copy of the public keys is without it by then."""

SERVED_AFTER: Final = timedelta(days=1)
"""How long a key stays public after it has last signed: as long as any identity token may be good."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key as it is kept.

    Attributes:
        id: what the headers of tokens call it: the thumbprint of its public half (RFC 7638).
        public: the public half, a JWK (RFC 7517).
        private: the private half, sealed.
        created_at: when it was made.
    """

    id: str
    public: Mapping[str, Any]
    private: SealedValue
    created_at: datetime


def in_order_of_use(keys: Sequence[SigningKey], now: datetime) -> Sequence[SigningKey]:
    """Say which key signs now, and which one would if that cannot be opened, and so on.

    The newest that has been public for long enough goes first. Whoever sees the same keys says the same.
    """
    known = [key for key in keys if key.created_at <= now - KNOWN_BEFORE]
    fresh = [key for key in keys if key.created_at > now - KNOWN_BEFORE]
    return [*sorted(known, key=_age, reverse=True), *sorted(fresh, key=_age)]


def needs_successor(keys: Sequence[SigningKey], now: datetime, sealing_key_id: str) -> bool:
    """Tell whether it is time to make the next key.

    Args:
        keys: those there are.
        now: the time.
        sealing_key_id: what would seal it. When that changes, a new signing key is due as well, so that the
            former sealing key is soon needed for nothing.
    """
    until = now - SIGNS_FOR + KNOWN_BEFORE
    return not any(key.created_at > until and key.private.key_id == sealing_key_id for key in keys)


def retired(keys: Sequence[SigningKey], now: datetime) -> Sequence[SigningKey]:
    """List the keys with which nothing can be signed that is still good."""
    since = now - KNOWN_BEFORE - SERVED_AFTER
    newest = max((key for key in keys if key.created_at <= since), key=_age, default=None)
    return [key for key in keys if newest is not None and _age(key) < _age(newest)]


def _age(key: SigningKey) -> tuple[datetime, str]:
    return key.created_at, key.id
