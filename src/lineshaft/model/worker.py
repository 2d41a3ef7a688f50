"""A worker as the server knows it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lineshaft.model.placement import Offer


@dataclass(frozen=True, slots=True)
class Worker:
    """One session of a worker process.

    A worker that starts anew registers under the same name and gets a new id; what the session before it
    held is lost at that moment.

    Attributes:
        id: UUIDv7 of this session.
        name: unique among workers; stays the same over restarts.
        offer: what it offers to tasks.
        registered_at: when this session began.
        seen_at: when it was last heard of.
        key_id: of the worker key that it registered with; None for the worker inside a server, and for one
            that registered with a user's credentials.
        draining: whether it is to take no more.
        load: how busy its host's processors were when it was last heard of, from 0 to 1; None where it does
            not say.
        version: of Lineshaft, as it says itself; empty where it does not.
    """

    id: UUID
    name: str
    offer: Offer
    registered_at: datetime
    seen_at: datetime
    key_id: UUID | None = None
    draining: bool = False
    load: float | None = None
    version: str = ""
