"""The control plane: all use cases over one store, and what runs in the background."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from lineshaft.model.errors import LineshaftError
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import SEAL_LOG, Store
from lineshaft.services.credentials import CredentialService
from lineshaft.services.desk import WorkerDesk
from lineshaft.services.logs import LogService
from lineshaft.services.outbox import OutboxDelivery
from lineshaft.services.pipelines import Check, PipelineService
from lineshaft.services.runs import RunService

_LOG: Final = logging.getLogger("lineshaft.leases")


class ControlPlane:
    """The services of one process, wired together.

    Attributes:
        store: where the state is.
        pipelines: the use cases of pipelines.
        runs: the use cases of runs.
        logs: the use cases of logs.
        desk: the worker protocol by direct calls.
        credentials: who may call.
    """

    def __init__(
        self, store: Store, blobs: Blobs, clock: Clock, ids: Ids, *, check: Check, lease_time: timedelta
    ) -> None:
        self.store = store
        self.pipelines = PipelineService(store, clock, ids, check)
        self.runs = RunService(store, clock, ids)
        self.logs = LogService(store, blobs)
        self.desk = WorkerDesk(store, clock, ids, lease_time)
        self.credentials = CredentialService(store, clock)
        self._outbox = OutboxDelivery(store, clock, {SEAL_LOG: self.logs.seal})
        self._lease_time = lease_time

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver the outbox and end lost leases in the background while the context is open."""
        tasks = [asyncio.create_task(self._outbox.run()), asyncio.create_task(self._end_lost_leases())]
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
            except LineshaftError as error:
                _LOG.warning("Lost leases cannot be ended now: %s", error)
            await asyncio.sleep(interval)
