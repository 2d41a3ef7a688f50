"""Timers: what runs want to hear of at a time is told to them."""

import logging
from datetime import datetime, timedelta
from typing import Final

from lineshaft.engine.decision import Decision
from lineshaft.model.errors import LineshaftError
from lineshaft.model.event import TimerFired
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import TIMER_NOTICE, Store, Transaction
from lineshaft.ports.wakeups import TIMERS
from lineshaft.services.progress import Progress
from lineshaft.telemetry.run_log import log_decisions

_LOG: Final = logging.getLogger("lineshaft.timers")
_BATCH: Final = 100


class TimerService:
    """Fires the timers that are due. Several processes may do so at once: a repeat has no consequence."""

    def __init__(self, store: Store, clock: Clock, progress: Progress) -> None:
        self._store = store
        self._clock = clock
        self._progress = progress

    async def run(self) -> None:
        """Fire for ever; ends by cancellation only."""
        with self._store.wakeups.listen(TIMERS) as listener:
            while True:
                wait = TIMER_NOTICE
                try:
                    await self.fire_due()
                    wait = await self._until_next()
                except LineshaftError as error:
                    _LOG.warning("Timers cannot be fired now: %s", error)
                if wait > timedelta():
                    await listener.wait(wait)

    async def fire_due(self) -> int:
        """Fire one batch of due timers, and return how many there were."""
        now = self._clock.now()
        # Looked for without writing first, since mostly there is none.
        if not await self._store.read(lambda transaction: transaction.timers.due(now, 1)):
            return 0
        count, decisions = await self._store.write(lambda transaction: self._fire(transaction, now))
        log_decisions(decisions)
        return count

    def _fire(self, transaction: Transaction, now: datetime) -> tuple[int, list[Decision]]:
        due = transaction.timers.due(now, _BATCH)
        decisions: list[Decision] = []
        for timer in due:
            transaction.timers.done(timer)
            event = TimerFired(timer.node, timer.purpose)
            decisions += self._progress.apply(transaction, timer.run_id, event, now)
        return len(due), decisions

    async def _until_next(self) -> timedelta:
        """Tell how long nothing is due; no longer than those who set timers rely on."""
        due_at = await self._store.read(lambda transaction: transaction.timers.next_due())
        return TIMER_NOTICE if due_at is None else min(due_at - self._clock.now(), TIMER_NOTICE)
