"""Tending: looking after leases in the background."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from lineshaft.model.errors import StoreUnavailableError
from lineshaft.ports.clock import Clock
from lineshaft.services.fleet.grace import Grace
from lineshaft.services.fleet.losing import Losing

_LOG: Final = logging.getLogger("lineshaft.leases")


class Tending:
    """Ends lost leases, and brings back what was set aside."""

    def __init__(self, clock: Clock, lease_time: timedelta, losing: Losing) -> None:
        self._clock = clock
        self._lease_time = lease_time
        self._losing = losing

    async def run(self) -> None:
        """Go round three times in the time that a lease lives, until cancelled."""
        interval = self._lease_time.total_seconds() / 3
        grace = Grace(self._clock, self._lease_time)

        async def lose_expired() -> None:
            if grace.over:
                await self._losing.lose_expired()

        while True:
            for chore in (self._losing.bad_runs.bring_back, lose_expired):
                try:
                    await chore()
                except Exception as error:  # noqa: BLE001 - whatever one run meets must not hold up the others.
                    if isinstance(error, StoreUnavailableError):
                        grace.begin()
                    _LOG.warning("Lost leases cannot be ended now: %s", repr(error))
            await asyncio.sleep(interval)
