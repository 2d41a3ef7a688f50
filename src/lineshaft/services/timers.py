"""Timers: what runs want to hear of at a time is told to them."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from lineshaft.engine.decision import Decision
from lineshaft.model.errors import StoreUnavailableError
from lineshaft.model.event import TimerFired
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import TIMER_NOTICE, Store, Timer, Transaction
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
                except Exception as error:  # noqa: BLE001 - whatever one run meets, others have timers too.
                    _LOG.warning("Timers cannot be fired now: %s", repr(error))
                if wait > timedelta():
                    await listener.wait(wait)

    async def fire_due(self) -> int:
        """Fire one batch of due timers, and return how many there were.

        Raises:
            StoreUnavailableError: the database does not answer.
            Exception: what kept one of them from being fired; the others have been fired nevertheless.
        """
        now = self._clock.now()
        # Looked for without writing first, since mostly there is none.
        due = await self._store.read(lambda transaction: transaction.timers.due(now, _BATCH))
        if not due:
            return 0
        try:
            count, decisions = await self._store.write(
                lambda transaction: self._fire(transaction, transaction.timers.due(now, _BATCH), now)
            )
        except StoreUnavailableError:
            raise
        except Exception:
            await self._fire_each(due, now)
            raise
        log_decisions(decisions)
        return count

    async def _fire_each(self, due: Sequence[Timer], now: datetime) -> None:
        """Fire timers in a transaction each, since one of them cannot be fired."""
        for timer in due:
            with suppress(Exception):
                _, decisions = await self._store.write(partial(self._fire, due=[timer], now=now))
                log_decisions(decisions)

    def _fire(
        self, transaction: Transaction, due: Sequence[Timer], now: datetime
    ) -> tuple[int, list[Decision]]:
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
