"""The queue and the leases in the database."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select, update

from lineshaft.model.attempt import AttemptAddress, HeldAttempt, LeasedAttempt, QueuedAttempt
from lineshaft.model.state import State
from lineshaft.ports.store import Claim
from lineshaft.ports.wakeups import QUEUE
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.aside import bring_back, set_aside, set_run_aside
from lineshaft.store.queue.claiming import claim_attempts
from lineshaft.store.queue.listing import list_held, list_queued
from lineshaft.store.queue.standing import ADDRESS
from lineshaft.store.schema import attempts, literal_state
from lineshaft.store.session import Session

_QUEUED: Final = attempts.c.state == literal_state(State.QUEUED)
_LEASED: Final = attempts.c.state == literal_state(State.RUNNING)
_LEASE: Final = (*ADDRESS, attempts.c.token, attempts.c.worker_id, attempts.c.stopping)

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
_RENEW_ONE: Final = Prepared(
    update(attempts)
    .where(
        _LEASED,
        attempts.c.run_id == bindparam("of_run"),
        attempts.c.node == bindparam("of_node"),
        attempts.c.attempt == bindparam("of_attempt"),
    )
    .values(lease_expires_at=bindparam("expires_at"))
)
_SELECT_HELD: Final = select(*_LEASE).where(_LEASED, attempts.c.worker_id == bindparam("of_worker"))
_HELD: Final = Prepared(_SELECT_HELD)
_HELD_UNDER: Final = Prepared(_SELECT_HELD.where(attempts.c.token == bindparam("with_token")))
_EXPIRED: Final = (
    select(*_LEASE)
    .where(_LEASED, attempts.c.lease_expires_at <= bindparam("now"))
    .order_by(attempts.c.lease_expires_at)
    .limit(bindparam("at_most"))
)


class SqlAttempts:
    """The queue and the leases; see `ports.store.Attempts`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def claim(self, claim: Claim) -> Sequence[AttemptAddress]:
        """Take queued attempts for a worker; none is taken twice."""
        claimed = claim_attempts(self._session, claim)
        if claimed:
            self._session.change()
        self._session.unclaimed.difference_update(claimed)
        return claimed

    def set_aside(self, address: AttemptAddress, until: datetime) -> None:
        """Keep a queued or a leased attempt out of claims for a time; a lease on it is dead."""
        self._session.change()
        self._session.pending.flush_attempts()
        self._session.pending.logs.close(address)
        set_aside(self._session.connection, address, until)
        self._session.unclaimed.discard(address)

    def set_run_aside(self, run_id: UUID, until: datetime) -> int:
        """Set aside all attempts of a run that are queued or leased, and tell how many they were."""
        self._session.change()
        self._session.pending.flush_attempts()
        return set_run_aside(self._session.connection, run_id, until)

    def bring_back(self, now: datetime, limit: int) -> int:
        """Queue what was set aside until now again, and what a server of the version before has queued."""
        self._session.pending.flush_attempts()
        self._session.look = None
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
        self,
        worker_id: UUID,
        tokens: frozenset[str],
        *,
        expires_at: datetime,
        but: frozenset[AttemptAddress] = frozenset(),
    ) -> Sequence[LeasedAttempt]:
        """Prolong those of the worker's living leases that carry one of the tokens, and list them."""
        if not tokens:
            return ()
        if but:
            return self._renew_some(worker_id, tokens, expires_at, but)
        values = {"of_worker": worker_id, "of_tokens": list(tokens), "expires_at": expires_at}
        self._session.pending.flush_attempts()
        leased = _sorted(self._session.connection.execute(_RENEW, values))
        if leased:
            self._session.change()
        return leased

    def _renew_some(
        self, worker_id: UUID, tokens: frozenset[str], expires_at: datetime, but: frozenset[AttemptAddress]
    ) -> Sequence[LeasedAttempt]:
        kept = [each for each in self.held_by(worker_id) if each.token in tokens and each.address not in but]
        if kept:
            rows = [{**_key(each.address), "expires_at": expires_at} for each in kept]
            _RENEW_ONE.execute_many(self._session.connection, rows)
            self._session.change()
        return kept

    def held_by(self, worker_id: UUID, token: str | None = None) -> Sequence[LeasedAttempt]:
        """List a worker's living leases, or those of them that carry a token."""
        self._session.pending.flush_attempts()
        values: dict[str, Any] = {"of_worker": worker_id}
        if token is None:
            return _sorted(_HELD.rows(self._session.connection, values))
        return _sorted(_HELD_UNDER.rows(self._session.connection, values | {"with_token": token}))

    def expired(self, now: datetime, limit: int) -> Sequence[LeasedAttempt]:
        """List living leases that have run out."""
        self._session.pending.flush_attempts()
        return _sorted(self._session.connection.execute(_EXPIRED, {"now": now, "at_most": limit}))


def _key(address: AttemptAddress) -> dict[str, Any]:
    return {"of_run": address.run_id, "of_node": address.node, "of_attempt": address.attempt}


def _sorted(rows: Iterable[Sequence[Any]]) -> list[LeasedAttempt]:
    leased = [LeasedAttempt(AttemptAddress(*row[:3]), *row[3:]) for row in rows]
    return sorted(leased, key=attrgetter("address"))
