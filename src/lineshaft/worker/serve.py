"""Starts a worker for a server elsewhere, and keeps it until it is told to stop."""

import asyncio
import logging
import signal
from dataclasses import replace
from typing import Final

from lineshaft.sdk.agent.agent import Agent
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_files import HttpFiles
from lineshaft.sdk.http_worker import HttpWorker
from lineshaft.worker.assembly import open_agent
from lineshaft.worker.plan import WorkerPlan
from lineshaft.worker.settings import WorkerSettings

_LOG: Final = logging.getLogger("lineshaft.worker")
_MAX_LOAD: Final = 0.95


def serve(settings: WorkerSettings, server: ClientConfig, key: str | None = None) -> bool:
    """Work until SIGTERM or SIGINT: then claim no more, and end when what runs has ended.

    A second signal stops what runs, and a third ends the worker at once.

    Args:
        settings: with what.
        server: whom to work for.
        key: the worker's key, in place of the credentials in `server`.

    Returns:
        Whether all that it had in hand was reported; False after a third signal.

    Raises:
        ConfigurationError: another worker of this name uses the data folder.
        AccessError: the server does not take the credentials, or takes them no more.
        ConflictError: another worker of this name has taken this one's place.
        UnsupportedProtocolError: the server speaks another version of the protocol.
        ServerError: what answers is no Lineshaft server.
    """
    return asyncio.run(_serve(settings, server, key))


async def _serve(settings: WorkerSettings, server: ClientConfig, key: str | None) -> bool:
    signals = _Signals()
    plan = WorkerPlan.of(settings.name, settings)
    plan = replace(
        plan,
        kinds=settings.drivers,
        max_load=_MAX_LOAD if plan.max_load is None else plan.max_load,
        workspace_root=settings.workspace_root,
    )
    async with (
        HttpWorker(server, key) as protocol,
        HttpFiles(server, key) as files,
        open_agent(plan, protocol, files=files) as agent,
    ):
        _LOG.info("Worker '%s' works for %s.", settings.name, server.url)
        working = asyncio.create_task(agent.run())
        signals.tell(agent, working)
        await asyncio.wait({working})
        if working.cancelled():
            return False
        working.result()
        _LOG.info("Worker '%s' has ended: nothing is left in its hands.", settings.name)
        return True


class _Signals:
    """Counts SIGTERM and SIGINT, and tells the worker; those that came before it was there, too."""

    def __init__(self) -> None:
        self._count = 0
        self._working: tuple[Agent, asyncio.Task[None]] | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._came)

    def tell(self, agent: Agent, working: asyncio.Task[None]) -> None:
        self._working = agent, working
        for count in range(1, self._count + 1):
            self._obey(count)

    def _came(self) -> None:
        self._count += 1
        self._obey(self._count)

    def _obey(self, count: int) -> None:
        if self._working is None:
            return
        agent, working = self._working
        if count == 1:
            _LOG.info("Draining: nothing more is claimed; a second signal stops what runs.")
            agent.drain()
        elif count == 2:  # noqa: PLR2004 - the second signal.
            _LOG.info("Stopping what runs; a third signal ends this worker at once.")
            agent.stop_all()
        else:
            working.cancel()
