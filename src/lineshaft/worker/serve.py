"""Starts a worker for a server elsewhere, and keeps it until it is told to stop."""

import asyncio
import logging
import signal
from typing import Final

from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_worker import HttpWorker
from lineshaft.telemetry.logging import set_up_logging
from lineshaft.worker.agent import Agent
from lineshaft.worker.assembly import WorkerPlan, open_agent
from lineshaft.worker.settings import WorkerSettings

_LOG: Final = logging.getLogger("lineshaft.worker")


def serve(settings: WorkerSettings, server: ClientConfig, key: str | None = None) -> None:
    """Work until SIGTERM or SIGINT: then claim no more, and end when what runs has ended.

    A second signal stops what runs, and a third ends the worker at once.

    Args:
        settings: with what.
        server: whom to work for.
        key: the worker's key, in place of the credentials in `server`.

    Raises:
        ConfigurationError: another worker of this name uses the data folder.
        BadCredentialsError: the server does not take the credentials.
        UnsupportedProtocolError: the server speaks another version of the protocol.
    """
    set_up_logging(settings.log_level)
    asyncio.run(_serve(settings, server, key))


async def _serve(settings: WorkerSettings, server: ClientConfig, key: str | None) -> None:
    plan = WorkerPlan.of(settings.name, settings)
    async with HttpWorker(server) as protocol, open_agent(plan, protocol) as agent:
        _LOG.info("Worker '%s' works for %s.", settings.name, server.url)
        working = asyncio.create_task(agent.run())
        _stop_at_signals(agent, working)
        await asyncio.wait({working})
        if not working.cancelled():
            working.result()


def _stop_at_signals(agent: Agent, working: asyncio.Task[None]) -> None:
    loop = asyncio.get_running_loop()
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1
        if told == 1:
            _LOG.info("Draining: no more is claimed; a second signal stops what runs.")
            agent.drain()
        elif told == 2:  # noqa: PLR2004 - the second signal.
            agent.stop_all()
        else:
            working.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
