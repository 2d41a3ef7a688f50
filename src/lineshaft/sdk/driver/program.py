"""A program that serves drivers, from its settings to its exit code."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from lineshaft import __version__
from lineshaft.model.errors import ConfigurationError, InvalidInputError, LineshaftError
from lineshaft.sdk.agent.agent import Agent
from lineshaft.sdk.agent.session import Equipment
from lineshaft.sdk.agent.signals import Signals
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.driver.declaration import checked_concurrency
from lineshaft.sdk.driver.decorator import Registered, registered
from lineshaft.sdk.driver.naming import name_of_program, session_name
from lineshaft.sdk.driver.performing import Performer
from lineshaft.sdk.exit_code import ExitCode
from lineshaft.sdk.http_worker import HttpWorker
from lineshaft.sdk.key import KEY_VARIABLE, worker_key
from lineshaft.sdk.nats.access import SCHEMES, NatsAccess
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.telemetry.logging import set_up_logging
from lineshaft.wire.driver import DriverMessage
from lineshaft.wire.worker import Hello

_LOG: Final = logging.getLogger("lineshaft.driver")
_KEY_FILE_VARIABLE: Final = "LINESHAFT_KEY_FILE"

_URL_VARIABLE: Final = "LINESHAFT_URL"
_NATS_VARIABLES: Final = (
    "LINESHAFT_NATS_USER",
    "LINESHAFT_NATS_PASSWORD",
    "LINESHAFT_NATS_CREDENTIALS",
    "LINESHAFT_NATS_CA_FILE",
)

ProtocolOf = Callable[[str], AbstractAsyncContextManager[WorkerProtocol]]
"""Opens what a driver of a name speaks by."""

Tell = Callable[[Sequence[Agent], "asyncio.Future[Any]"], None]
"""Hears of the agents of a program, and of what ends when they have."""


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """What a program was told.

    Attributes:
        server: the server's address; None leaves it to the environment and the configuration file.
        key: the worker key; None leaves it to the environment.
        name: the program's; None means after its host.
        concurrency: how many tasks of each driver at once; None leaves it to the drivers.
        labels: what the program says of itself; it takes tasks whose labels are among them.
    """

    server: str | None = None
    key: str | None = None
    name: str | None = None
    concurrency: int | None = None
    labels: frozenset[str] = frozenset()


def main(drivers: object, settings: ProgramSettings, log_level: str) -> None:
    """Serve drivers as a program does; see `lineshaft.sdk.driver.serve`."""
    if not logging.getLogger().handlers:
        set_up_logging(log_level)
    try:
        code = asyncio.run(_serve_until_told(drivers, settings))
    except LineshaftError as error:
        sys.stderr.write(f"error: {error.message}\n" + (f"{error.advice}\n" if error.advice else ""))
        code = ExitCode.of_error(error)
    if code is not ExitCode.OK:
        raise SystemExit(code.value)


async def _serve_until_told(drivers: object, settings: ProgramSettings) -> ExitCode:
    signals = Signals()
    serving = asyncio.create_task(serve_all(drivers, settings, signals.tell, forget_key=True))
    await asyncio.wait({serving})
    if serving.cancelled():
        return ExitCode.INTERRUPTED
    return serving.result()


async def serve_all(
    drivers: object, settings: ProgramSettings, tell: Tell | None = None, *, forget_key: bool = False
) -> ExitCode:
    """Serve drivers until all their sessions have drained.

    Args:
        drivers: one, or several.
        settings: what the program was told.
        tell: hears of what works here, to drain and to stop it.
        forget_key: whether the key is taken out of the environment, which programs that a driver starts have.

    Raises:
        LineshaftError: it cannot begin, or not go on.
    """
    ready = all_registered(drivers)
    key = _key(settings.key)
    if forget_key:
        os.environ.pop(KEY_VARIABLE, None)
    url, protocol_of = _way_to(settings.server, key, ready)
    async with AsyncExitStack() as opened:
        program = settings.name or opened.enter_context(
            name_of_program(url, tuple(each.name for each in ready))
        )
        protocols = [await opened.enter_async_context(protocol_of(each.name)) for each in ready]
        agents = [
            agent_of(each, protocol, settings, program)
            for each, protocol in zip(ready, protocols, strict=True)
        ]
        _LOG.info("This program works for %s.", url)
        working = asyncio.ensure_future(_all_of(agents))
        if tell is not None:
            tell(agents, working)
        try:
            await asyncio.wait({working})
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        if working.cancelled():
            return ExitCode.INTERRUPTED
        working.result()
    _LOG.info("This program has ended: nothing is left in its hands.")
    return ExitCode.OK


async def _all_of(agents: Collection[Agent]) -> None:
    """Have all of them serve until all have drained; an error of one ends the others."""
    tasks = [asyncio.create_task(agent.run()) for agent in agents]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def all_registered(drivers: object) -> tuple[Registered, ...]:
    """Make drivers ready: one, or several with names of their own.

    Raises:
        InvalidInputError: there is none, one is no driver, or two have one name.
    """
    several = isinstance(drivers, Iterable) and not isinstance(drivers, type) and not callable(drivers)
    ready = tuple(registered(each) for each in drivers) if several else (registered(drivers),)  # type: ignore[attr-defined]
    if not ready:
        raise InvalidInputError("There is no driver to serve.", advice="Name one: serve(compile_app).")
    names = [each.name for each in ready]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInputError(f"Two drivers are named '{twice}'.", advice="Give each a name of its own.")
    return ready


def agent_of(
    driver: Registered,
    protocol: WorkerProtocol,
    settings: ProgramSettings,
    program: str,
    *,
    performer: Performer | None = None,
    equip: Callable[[Equipment], Equipment] = lambda equipment: equipment,
) -> Agent:
    """Make the agent that serves a driver: each has a session, and room, of its own.

    Args:
        driver: whom it serves.
        protocol: how it talks to the server.
        settings: what the program was told.
        program: the program's name.
        performer: who does its tasks; None means as usual.
        equip: exchanges parts of its equipment, for tests.

    Raises:
        InvalidInputError: the name or the concurrency make no sense.
    """
    said = driver.declaration
    slots = said.concurrency if settings.concurrency is None else checked_concurrency(settings.concurrency)
    name = session_name(driver.name, program)
    does = performer or Performer(driver)
    told = DriverMessage(
        name=said.driver.name,
        resources=said.driver.resources,
        events=said.driver.events,
        description=said.driver.description,
        timeout_seconds=said.driver.timeout.total_seconds(),
        retries=said.driver.retries,
        idempotent=said.driver.idempotent,
    )
    kinds = frozenset({driver.name})
    try:
        hello = Hello(
            name=name, kinds=kinds, drivers=(told,), slots=slots, labels=settings.labels, version=__version__
        )
    except ValidationError as error:
        raise InvalidInputError(f"The server would not take this: {error.errors()[0]['msg']}.") from error
    # Calls that nobody could end take up what they take up: a program full of them takes no more tasks.
    equipment = Equipment(
        protocol, {driver.name: does}, name, slots, can_work=lambda: does.left_behind < slots
    )
    return Agent(hello, equip(equipment))


def _way_to(said: str | None, key: str | None, drivers: Sequence[Registered]) -> tuple[str, ProtocolOf]:
    """Tell which server is meant, and how a driver speaks to it: by HTTP, or over NATS."""
    url = said or os.environ.get(_URL_VARIABLE, "")
    if urlsplit(url.partition(",")[0]).scheme not in SCHEMES:
        server = _server(said, key, drivers)
        return server.url, lambda _: HttpWorker(server, key)
    from lineshaft.sdk.nats.worker import NatsWorker

    user, password, file, authorities = (os.environ.get(each) or None for each in _NATS_VARIABLES)
    access = NatsAccess.of(
        url,
        user=user,
        password=password,
        credentials=None if file is None else Path(file).expanduser(),
        ca_file=None if authorities is None else Path(authorities).expanduser(),
    )
    return access.shown, partial(NatsWorker.open, access)


def _key(given: str | None) -> str | None:
    if given:
        return worker_key(None, named=False, environment={KEY_VARIABLE: given})
    file = os.environ.get(_KEY_FILE_VARIABLE)
    return worker_key(None if not file else Path(file).expanduser(), named=False)


def _server(url: str | None, key: str | None, drivers: Sequence[Registered]) -> ClientConfig:
    config = ClientConfig.load(url=url, needs_password=False)
    if key is not None:
        return config
    try:
        return ClientConfig.load(url=url)
    except ConfigurationError as error:
        name = drivers[0].name
        raise ConfigurationError(
            f"This program has no key for {config.url}.",
            advice=f"Set {KEY_VARIABLE}; `lineshaft worker-key create {name} --driver {name}` makes one.",
        ) from error
