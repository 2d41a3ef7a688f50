"""Losing: what becomes of attempts whose worker is gone."""

from collections.abc import Sequence
from typing import Final

from lineshaft.engine.decision import Decision
from lineshaft.model.attempt import AttemptAddress, LeasedAttempt
from lineshaft.model.event import AttemptLost
from lineshaft.model.limits import Limits
from lineshaft.model.node import Task
from lineshaft.model.work import DriverWork
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Store, Transaction
from lineshaft.ports.wakeups import QUEUE
from lineshaft.services.bad_runs import BadRuns, Current
from lineshaft.services.progress import Progress
from lineshaft.telemetry.run_log import log_decisions

_BATCH: Final = 100


class Losing:
    """Ends attempts as lost, and lets their runs go on from there.

    Attributes:
        bad_runs: writes that go around attempts at which they fail.
    """

    def __init__(self, store: Store, clock: Clock, progress: Progress, limits: Limits) -> None:
        self._store = store
        self._clock = clock
        self._progress = progress
        self.bad_runs = BadRuns(store, clock)
        self._limited = bool(limits.pipelines or limits.labels)

    async def lose_expired(self) -> int:
        """End a batch of leases that have run out, and return how many there were.

        Raises:
            UnavailableError: the database does not answer, or too many runs cannot be read.
        """
        now = self._clock.now()
        # Looked for without writing first, since mostly there is none.
        if not await self._store.read(lambda transaction: transaction.attempts.expired(now, 1)):
            return 0

        def work(transaction: Transaction, current: Current) -> tuple[int, list[Decision]]:
            expired = transaction.attempts.expired(now, _BATCH)
            return len(expired), self.lose(transaction, current, expired)

        count, decisions = await self.bad_runs.write(work)
        log_decisions(decisions)
        return count

    def lose(
        self, transaction: Transaction, current: Current, leased: Sequence[LeasedAttempt]
    ) -> list[Decision]:
        """End leases in a transaction, and return what was decided."""
        decisions: list[Decision] = []
        for each in leased:
            address = each.address
            with current.at(address):
                once = _begins_once(transaction, address)
                lost = AttemptLost(address.node, address.attempt, each.token, once)
                decisions += self._progress.apply(transaction, address.run_id, lost, self._clock.now())
        if self._limited and leased:
            self.make_room(transaction)
        return decisions

    def make_room(self, transaction: Transaction) -> None:
        """Have claims look again, after an attempt has ended: a limit may have kept others back for it."""
        if self._limited:
            transaction.wake(QUEUE)


def _begins_once(transaction: Transaction, address: AttemptAddress) -> bool:
    """Whether the driver of an attempt has said that its work may not begin again."""
    run = transaction.runs.get(address.run_id)
    task = run.tree[address.node].node if run is not None and address.node < len(run.tree) else None
    if not isinstance(task, Task) or not isinstance(task.work, DriverWork):
        return False
    known = transaction.drivers.get(task.work.driver)
    return known is not None and not known.declaration.idempotent
