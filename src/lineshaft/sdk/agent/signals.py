"""Signals: SIGTERM and SIGINT have a program drain, then stop what runs, then end."""

import asyncio
import logging
import signal
from collections.abc import Collection
from typing import Any, Final

from lineshaft.sdk.agent.agent import Agent

_LOG: Final = logging.getLogger("lineshaft.worker")


class Signals:
    """Counts SIGTERM and SIGINT, and tells the agents; those that came before these were there, too.

    The first drains, the second stops what runs, and any other one cancels the work without a report.
    """

    def __init__(self) -> None:
        """Take the signals from now on; to be made in the main thread, while its loop runs."""
        self._count = 0
        self._working: tuple[Collection[Agent], asyncio.Future[Any]] | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._came)

    def tell(self, agents: Collection[Agent], working: "asyncio.Future[Any]") -> None:
        """Tell these agents from now on.

        Args:
            agents: who drain and stop.
            working: ends when all of them have ended; it is what a third signal cancels.
        """
        self._working = agents, working
        for count in range(1, self._count + 1):
            self._obey(count)

    def _came(self) -> None:
        self._count += 1
        self._obey(self._count)

    def _obey(self, count: int) -> None:
        if self._working is None:
            return
        agents, working = self._working
        if count == 1:
            _LOG.info("Draining: nothing more is claimed; a second signal stops what runs.")
            for agent in agents:
                agent.drain()
        elif count == 2:  # noqa: PLR2004 - the second signal.
            _LOG.info("Stopping what runs; a third signal ends this program at once.")
            for agent in agents:
                agent.stop_all()
        else:
            working.cancel()
