"""Starts a worker for a server elsewhere, and keeps it until it is told to stop."""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from lineshaft.sdk.agent.signals import Signals
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
    signals = Signals()
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
        signals.tell((agent,), working)
        await asyncio.wait({working})
        if working.cancelled():
            return False
        working.result()
        _LOG.info("Worker '%s' has ended: nothing is left in its hands.", settings.name)
        return True
