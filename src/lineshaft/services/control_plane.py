"""The control plane: all use cases over one store, and what runs in the background."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from lineshaft.ports.blobs import Blobs
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import SEAL_LOG, Store
from lineshaft.services.credentials import CredentialService
from lineshaft.services.desk import WorkerDesk
from lineshaft.services.logs import LogService
from lineshaft.services.outbox import OutboxDelivery
from lineshaft.services.pipelines import Check, PipelineService
from lineshaft.services.placing import Placing
from lineshaft.services.progress import CALL_PIPELINE, Progress
from lineshaft.services.reports import ReportService
from lineshaft.services.runs import RunService
from lineshaft.services.timers import TimerService

DEFAULT_RUN_TIME_LIMIT: Final = timedelta(hours=24)
"""How long any run may take, unless a server is set up otherwise."""

_LOG: Final = logging.getLogger("lineshaft.leases")


class ControlPlane:
    """The services of one process, wired together.

    Attributes:
        store: where the state is.
        pipelines: the use cases of pipelines.
        runs: the use cases of runs.
        logs: the use cases of logs.
        desk: the worker protocol by direct calls.
        reports: what runs have taken, and how they ended.
        timers: tells runs of the times that they asked for.
        credentials: who may call.
    """

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        clock: Clock,
        ids: Ids,
        *,
        check: Check,
        lease_time: timedelta,
        run_time_limit: timedelta = DEFAULT_RUN_TIME_LIMIT,
    ) -> None:
        progress = Progress(ids, run_time_limit)
        self.store = store
        self.pipelines = PipelineService(store, clock, ids, progress, check)
        self.runs = RunService(store, clock, progress, check, Placing(lease_time))
        self.logs = LogService(store, blobs)
        self.desk = WorkerDesk(store, clock, ids, progress, lease_time)
        self.reports = ReportService(store)
        self.timers = TimerService(store, clock, progress)
        self.credentials = CredentialService(store, clock)
        handlers = {SEAL_LOG: self.logs.seal, CALL_PIPELINE: self.runs.call}
        self._outbox = OutboxDelivery(store, clock, handlers)
        self._lease_time = lease_time

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver the outbox, fire timers and end lost leases in the background while the context is open."""
        background = (self._outbox.run(), self.timers.run(), self._end_lost_leases())
        tasks = [asyncio.create_task(each) for each in background]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Do what the outbox holds now, so that nothing is left to do when the process ends."""
        while await self._outbox.deliver_due():
            pass

    async def _end_lost_leases(self) -> None:
        interval = self._lease_time.total_seconds() / 3
        while True:
            try:
                await self.desk.lose_expired()
            except Exception as error:  # noqa: BLE001 - whatever one run meets must not hold up the others.
                _LOG.warning("Lost leases cannot be ended now: %s", repr(error))
            await asyncio.sleep(interval)
