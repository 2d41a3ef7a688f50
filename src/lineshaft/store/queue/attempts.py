"""The queue and the leases in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, select, tuple_, union_all, update

from lineshaft.model.attempt import AttemptAddress, HeldAttempt, LeasedAttempt, QueuedAttempt
from lineshaft.model.state import State
from lineshaft.ports.store import Claim
from lineshaft.ports.wakeups import QUEUE
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.aside import bring_back, set_aside
from lineshaft.store.queue.listing import list_held, list_queued
from lineshaft.store.schema import attempts, literal_state
from lineshaft.store.session import Session

_QUEUED: Final = attempts.c.state == literal_state(State.QUEUED)
_LEASED: Final = attempts.c.state == literal_state(State.RUNNING)
_KEY: Final = (attempts.c.run_id, attempts.c.node, attempts.c.attempt)
_LEASE: Final = (*_KEY, attempts.c.token, attempts.c.worker_id, attempts.c.stopping)

_RENEW: Final = (
    update(attempts)
    .where(
        _LEASED,
        attempts.c.worker_id == bindparam("of_worker"),
        attempts.c.token.in_(bindparam("of_tokens", expanding=True)),
    )
    .values(lease_expires_at=bindparam("expires_at"))
    .returning(*_LEASE)
)
_HELD: Final = select(*_LEASE).where(_LEASED, attempts.c.worker_id == bindparam("of_worker"))
_EXPIRED: Final = (
    select(*_LEASE)
    .where(_LEASED, attempts.c.lease_expires_at <= bindparam("now"))
    .order_by(attempts.c.lease_expires_at)
    .limit(bindparam("at_most"))
)


@cache
def _claim(kinds: int) -> Prepared:
    """Make the statement that takes the oldest attempts of so many kinds.

    Each kind's head of the queue is a range of the index, whatever the queue's length. They stand in a common
    table expression because PostgreSQL may evaluate a plain subquery with LIMIT more than once.
    """
    oldest = _oldest(kinds).cte("oldest")
    return Prepared(
        update(attempts)
        .where(tuple_(*_KEY).in_(select(oldest.c.run_id, oldest.c.node, oldest.c.attempt)))
        .values(
            state=literal_state(State.RUNNING),
            worker_id=bindparam("to_worker"),
            token=bindparam("with_token"),
            lease_expires_at=bindparam("expires_at"),
        )
        .returning(attempts.c.queued_at, *_KEY)
    )


def _oldest(kinds: int) -> Any:
    heads = [
        select(*_KEY, attempts.c.queued_at)
        .where(_QUEUED, attempts.c.kind == bindparam(f"kind_{number}"))
        .order_by(attempts.c.queued_at, attempts.c.run_id, attempts.c.node)
        .limit(bindparam("at_most"))
        .with_for_update(skip_locked=True)
        for number in range(kinds)
    ]
    if kinds == 1:
        return heads[0]
    every = union_all(*(select(head.subquery()) for head in heads)).subquery()
    return select(every).order_by(every.c.queued_at, every.c.run_id, every.c.node).limit(bindparam("at_most"))


class SqlAttempts:
    """The queue and the leases; see `ports.store.Attempts`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def claim(self, claim: Claim) -> Sequence[AttemptAddress]:
        """Take queued attempts for a worker; none is taken twice."""
        kinds = claim.worker.offer.kinds
        if not kinds or claim.slots < 1:
            return ()
        self._session.pending.flush_attempts()
        values = {
            "to_worker": claim.worker.id,
            "with_token": claim.token,
            "expires_at": claim.expires_at,
            "at_most": claim.slots,
            **{f"kind_{number}": kind.value for number, kind in enumerate(sorted(kinds))},
        }
        rows = _claim(len(kinds)).rows(self._session.connection, values)
        if rows:
            self._session.change()
        claimed = [AttemptAddress(*key) for _, *key in sorted(rows)]
        self._session.unclaimed.difference_update(claimed)
        return claimed

    def set_aside(self, address: AttemptAddress, until: datetime) -> None:
        """Keep a queued or a leased attempt out of claims for a time; a lease on it is dead."""
        self._session.change()
        self._session.pending.flush_attempts()
        set_aside(self._session.connection, address, until)
        self._session.unclaimed.discard(address)

    def bring_back(self, now: datetime, limit: int) -> int:
        """Queue what was set aside until now again, and what a server of the version before has queued."""
        self._session.pending.flush_attempts()
        count = bring_back(self._session.connection, now, limit)
        if count:
            self._session.change()
            self._session.topics.add(QUEUE)
        return count

    def held(self, worker_ids: Collection[UUID] | None = None) -> Sequence[HeldAttempt]:
        """List living leases with what they take up, of some workers or of all, by worker and address."""
        self._session.pending.flush_attempts()
        return list_held(self._session.connection, worker_ids)

    def queued(self, *, limit: int) -> Sequence[QueuedAttempt]:
        """List what waits for a worker, in about the order in which it will be taken."""
        self._session.pending.flush_attempts()
        return list_queued(self._session.connection, limit)

    def renew(
        self, worker_id: UUID, tokens: frozenset[str], *, expires_at: datetime
    ) -> Sequence[LeasedAttempt]:
        """Prolong those of the worker's living leases that carry one of the tokens, and list them."""
        if not tokens:
            return ()
        values = {"of_worker": worker_id, "of_tokens": list(tokens), "expires_at": expires_at}
        leased = self._leased(_RENEW, values)
        if leased:
            self._session.change()
        return leased

    def held_by(self, worker_id: UUID) -> Sequence[LeasedAttempt]:
        """List a worker's living leases."""
        return self._leased(_HELD, {"of_worker": worker_id})

    def expired(self, now: datetime, limit: int) -> Sequence[LeasedAttempt]:
        """List living leases that have run out."""
        return self._leased(_EXPIRED, {"now": now, "at_most": limit})

    def _leased(self, statement: Any, values: dict[str, Any]) -> list[LeasedAttempt]:
        self._session.pending.flush_attempts()
        rows = self._session.connection.execute(statement, values)
        return sorted(map(_leased_attempt, rows), key=attrgetter("address"))


def _leased_attempt(row: Row[Any]) -> LeasedAttempt:
    address = AttemptAddress(row.run_id, row.node, row.attempt)
    return LeasedAttempt(address, row.token, row.worker_id, row.stopping)
