"""Retention: what is old is removed in the background, a little at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, TypeVar
from uuid import UUID

from lineshaft.ports.clock import Clock
from lineshaft.ports.store import EndedRun, Store, Transaction
from lineshaft.services.files.expiring import FileExpiry
from lineshaft.services.fleet.drivers import note_last_seen

T = TypeVar("T")

Pause = Callable[[float], Awaitable[None]]
"""Waits for so many seconds."""

INTERVAL: Final = timedelta(minutes=10)
FORGOTTEN_AFTER: Final = timedelta(days=7)
"""How long a worker that holds nothing may be silent before it is forgotten."""

TOKENS_SHOWN_FOR: Final = timedelta(days=30)
"""How long a token is still listed after it has expired."""

RESOURCES_KEPT_FOR: Final = timedelta(days=30)
"""How long a resource is kept after it was deleted, by its id, with its versions."""

_LOG: Final = logging.getLogger("lineshaft.retention")
_JITTER: Final = 0.25
_ROWS_AT_ONCE: Final = 500
_PAGE: Final = 100
_PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept, and for how long; None keeps all of it for ever.

    Attributes:
        runs_for: how long runs are kept after their end.
        runs_per_pipeline: how many ended runs of a pipeline are kept, 1 at least.
        logs_for: how long logs are kept after the end of their run.
        deliveries_for: how long deliveries are kept after they came.
    """

    runs_for: timedelta | None = None
    runs_per_pipeline: int | None = None
    logs_for: timedelta | None = None
    deliveries_for: timedelta | None = None


KEEP_ALL: Final = Kept()


class RetentionService:
    """Removes what is no longer kept. Several processes may do so at once."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        kept: Kept,
        files: FileExpiry,
        *,
        pause: Pause = asyncio.sleep,
        chance: Random,
    ) -> None:
        """Remove nothing yet.

        Args:
            store: where it is removed from.
            clock: tells how old things are.
            kept: what is not removed.
            files: removes files that are not kept any more.
            pause: waits between two rounds, and between two transactions of one.
            chance: keeps several processes from going round at the same time.
        """
        self._store = store
        self._clock = clock
        self._kept = kept
        self._files = files
        self._pause = pause
        self._chance = chance

    async def run(self) -> None:
        """Go round for ever; ends by cancellation only."""
        while True:
            await self._pause(INTERVAL.total_seconds() * self._chance.uniform(1 - _JITTER, 1 + _JITTER))
            try:
                await self.go_round()
            except Exception as error:  # noqa: BLE001 - the next round may fare better, and begins anew.
                _LOG.warning("What is old cannot be removed now: %s", repr(error))

    async def go_round(self) -> None:
        """Remove all that is not kept.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        now = self._clock.now()
        removed = 0
        if self._kept.runs_for is not None:
            removed += await self._remove_ended(now - self._kept.runs_for, now)
        if self._kept.runs_per_pipeline is not None:
            removed += await self._remove_surplus(self._kept.runs_per_pipeline, now)
        if self._kept.logs_for is not None:
            await self._remove_logs(now - self._kept.logs_for, now)
        if self._kept.deliveries_for is not None:
            await self._remove_deliveries(now - self._kept.deliveries_for)
        await self._remove_unused()
        await self._remove_expired(now)
        await self._remove_resources(now - RESOURCES_KEPT_FOR)
        await self._files.go_round(self._do, now)
        await self._forget_workers(now - FORGOTTEN_AFTER)
        if removed:
            _LOG.info("%d old runs were removed.", removed)

    async def _remove_ended(self, before: datetime, now: datetime) -> int:
        removed = 0
        after: EndedRun | None = None
        while True:
            page = await self._store.read(_ended(before, after))
            for run in page:
                await self._repeat(_remove_run(run.run_id, now))
            removed += len(page)
            if len(page) < _PAGE:
                return removed
            after = page[-1]

    async def _remove_surplus(self, keep: int, now: datetime) -> int:
        removed = 0
        after: UUID | None = None
        while page := await self._store.read(_pipelines(after)):
            for pipeline_id in page:
                while surplus := await self._store.read(_surplus(pipeline_id, keep)):
                    for run_id in surplus:
                        await self._repeat(_remove_run(run_id, now))
                    removed += len(surplus)
            after = page[-1]
        return removed

    async def _remove_logs(self, before: datetime, now: datetime) -> None:
        while page := await self._store.read(_with_logs(before)):
            for run_id in page:
                await self._repeat(_remove_logs(run_id, now))

    async def _remove_deliveries(self, before: datetime) -> None:
        await self._repeat(lambda transaction: transaction.deliveries.remove_old(before, _PAGE) < _PAGE)

    async def _remove_resources(self, before: datetime) -> None:
        await self._repeat(lambda transaction: transaction.resources.remove_deleted(before, _PAGE) < _PAGE)

    async def _remove_unused(self) -> None:
        """Remove deleted pipelines without runs, and then what nothing refers to, or is about them alone."""
        await self._repeat(lambda transaction: transaction.retention.remove_pipelines(_PAGE) < _PAGE)
        await self._repeat(lambda transaction: transaction.grants.remove_orphaned(_PAGE) == 0)
        last: str | None = ""
        while last is not None:
            last = await self._do(_remove_definitions(last))

    async def _remove_expired(self, now: datetime) -> None:
        """Remove sessions, and a while after their end tokens, with which nobody gets in any more."""
        await self._repeat(
            lambda transaction: transaction.browser_sessions.remove_expired(now, _PAGE) < _PAGE
        )
        before = now - TOKENS_SHOWN_FOR
        await self._repeat(lambda transaction: transaction.tokens.remove_expired(before, _PAGE) < _PAGE)

    async def _forget_workers(self, silent_since: datetime) -> None:
        def work(transaction: Transaction) -> None:
            for worker in transaction.workers.all():
                if worker.seen_at < silent_since and not transaction.attempts.held_by(worker.id):
                    note_last_seen(transaction, worker)
                    transaction.workers.remove(worker.id)

        workers = await self._store.read(lambda transaction: transaction.workers.all())
        if any(worker.seen_at < silent_since for worker in workers):
            await self._do(work)

    async def _repeat(self, work: Callable[[Transaction], bool]) -> None:
        while not await self._do(work):
            pass

    async def _do(self, work: Callable[[Transaction], T]) -> T:
        result = await self._store.write(work)
        await self._pause(_PAUSE_SECONDS)
        return result


def _ended(before: datetime, after: EndedRun | None) -> Callable[[Transaction], list[EndedRun]]:
    return lambda transaction: list(transaction.retention.ended(before, after=after, limit=_PAGE))


def _surplus(pipeline_id: UUID, keep: int) -> Callable[[Transaction], list[UUID]]:
    return lambda transaction: list(transaction.retention.surplus(pipeline_id, keep, _PAGE))


def _with_logs(before: datetime) -> Callable[[Transaction], list[UUID]]:
    return lambda transaction: list(transaction.retention.with_logs(before, _PAGE))


def _pipelines(after: UUID | None) -> Callable[[Transaction], list[UUID]]:
    return lambda transaction: list(transaction.retention.pipelines(after=after, limit=_PAGE))


def _remove_run(run_id: UUID, now: datetime) -> Callable[[Transaction], bool]:
    return lambda transaction: transaction.retention.remove_run(run_id, now, _ROWS_AT_ONCE)


def _remove_logs(run_id: UUID, now: datetime) -> Callable[[Transaction], bool]:
    return lambda transaction: transaction.retention.remove_logs(run_id, now, _ROWS_AT_ONCE)


def _remove_definitions(after: str) -> Callable[[Transaction], str | None]:
    return lambda transaction: transaction.retention.remove_definitions(after=after, limit=_PAGE)
