"""A worker as the server knows it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lineshaft.model.work import WorkKind


@dataclass(frozen=True, slots=True)
class Worker:
    """One session of a worker process.

    A worker that starts anew registers under the same name and gets a new id; what the session before it
    held is lost at that moment.

    Attributes:
        id: UUIDv7 of this session.
        name: unique among workers; stays the same over restarts.
        kinds: the kinds of work whose drivers it serves.
        slots: how many attempts it takes at once.
        registered_at: when this session began.
        seen_at: when it was last heard of.
    """

    id: UUID
    name: str
    kinds: frozenset[WorkKind]
    slots: int
    registered_at: datetime
    seen_at: datetime
