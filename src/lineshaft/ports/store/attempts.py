"""The queue of attempts, and the leases on what was taken from it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress, HeldAttempt, LeasedAttempt, QueuedAttempt
from lineshaft.model.limits import NO_LIMITS, Limits
from lineshaft.model.worker import Worker


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's call for attempts.

    Attributes:
        worker: its session, with what it offers.
        slots: how many it has room for, as it says itself.
        token: carried by the leases; it may have been used before.
        now: the time.
        expires_at: when the leases run out.
        limits: how many attempts may run at once over all workers.
    """

    worker: Worker
    slots: int
    token: str
    now: datetime
    expires_at: datetime
    limits: Limits = NO_LIMITS


class Attempts(Protocol):
    """The queue, and the leases on what was taken from it."""

    def claim(self, claim: Claim) -> Sequence[AttemptAddress]:
        """Take queued attempts for a worker; none is taken twice.

        Taken are only those that the worker's offer serves, and together no more than it has left beside what
        it holds (slots, processors, memory) and than the limits allow. Of these, those of the highest
        priority go first; within a priority pipelines take turns, and a pipeline's attempts go in the order
        in which they were queued. Attempts that ask for something else (kind, labels, processors, memory)
        wait in queues of their own, which take turns too. One that has waited long, and that the worker
        could take if it had less to do, holds back those that ask for what it lacks, so that large tasks do
        not wait for ever.

        The cost does not depend on how many attempts are queued, but where a limit keeps many back. A worker
        that is draining, as the store knows it, takes nothing. Where another process claims for the same
        worker at that moment, attempts that ask for processors or memory may be left to it; then the worker's
        topic is woken, and whoever waits for attempts should claim again.

        The token names one lease together with an attempt's address, since no attempt is leased twice.
        """
        ...

    def set_aside(self, address: AttemptAddress, until: datetime) -> None:
        """Keep a queued or a leased attempt out of claims for a time, since its run cannot be read.

        A lease on it is dead.
        """
        ...

    def set_run_aside(self, run_id: UUID, until: datetime) -> int:
        """Set aside all attempts of a run that are queued or leased; what is aside already stays as it is.

        Returns:
            How many they were.
        """
        ...

    def bring_back(self, now: datetime, limit: int) -> int:
        """Queue what was set aside until now again, and attempts that a server of the version before queued.

        Returns:
            How many they were.
        """
        ...

    def held(self, worker_ids: Collection[UUID] | None = None) -> Sequence[HeldAttempt]:
        """List living leases with what they take up, of some workers or of all, by worker and address."""
        ...

    def queued(self, *, limit: int) -> Sequence[QueuedAttempt]:
        """List what waits for a worker, in about the order in which it will be taken."""
        ...

    def renew(
        self,
        worker_id: UUID,
        tokens: frozenset[str],
        *,
        expires_at: datetime,
        but: frozenset[AttemptAddress] = frozenset(),
    ) -> Sequence[LeasedAttempt]:
        """Prolong those of the worker's living leases that carry one of the tokens, and list them.

        Leases on the attempts in `but` are left as they are, and not listed.
        """
        ...

    def held_by(self, worker_id: UUID, token: str | None = None) -> Sequence[LeasedAttempt]:
        """List a worker's living leases, or those of them that carry a token."""
        ...

    def expired(self, now: datetime, limit: int) -> Sequence[LeasedAttempt]:
        """List living leases that have run out."""
        ...
