"""Serving drivers: what programs call. What talks to a server is loaded when one is served."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lineshaft.sdk.driver.decorator import Reconcile, Reconciler

if TYPE_CHECKING:
    from lineshaft.sdk.agent.agent import Agent

Driver = Reconcile | Reconciler | type[Any]
"""A decorated function, an object of a decorated class, or such a class itself, if it takes no arguments."""


def serve(
    drivers: Driver | Iterable[Driver],
    server: str | None = None,
    key: str | None = None,
    *,
    concurrency: int | None = None,
    name: str | None = None,
    labels: Iterable[str] = (),
    log_level: str = "info",
) -> None:
    """Serve drivers, as the whole of a program, until SIGTERM or SIGINT.

    The first of these signals drains: nothing more is taken, and what is in hand is done to its end. A second
    one stops that, which is reported, and a third ends the program without. LINESHAFT_WORKER_KEY is taken out
    of the environment, so that programs that a driver starts do not have it. Lines about what goes on are
    written to standard error, unless logging is set up already.

    Args:
        drivers: one, or several; each has a session at the server, and room, of its own.
        server: the server's address; else as `sdk.config` says: LINESHAFT_URL, the configuration file.
        key: the worker key; else LINESHAFT_WORKER_KEY, else the first line of the file that
            LINESHAFT_KEY_FILE names, else a user's credentials as the command line finds them.
        concurrency: how many tasks of each driver are done at once; else what the driver says.
        name: of this program, unique among those of a driver: it registers as `DRIVER@NAME`, and a program of
            the same name takes the place of the one before, with what that had in hand. Left out, it is the
            host's name, for the second program of a host `HOST:2`, and so on.
        labels: what this program says of itself; it takes tasks whose labels are among them.
        log_level: the lowest level that is logged.

    Raises:
        SystemExit: it could not begin, or not go on; an error was printed, and the code is one of those that
            docs/cli.md lists.
    """
    from lineshaft.sdk.driver.program import ProgramSettings, main

    main(drivers, ProgramSettings(server, key, name, concurrency, frozenset(labels)), log_level)


async def serve_async(
    drivers: Driver | Iterable[Driver],
    server: str | None = None,
    key: str | None = None,
    *,
    concurrency: int | None = None,
    name: str | None = None,
    labels: Iterable[str] = (),
    drain: asyncio.Event | None = None,
) -> None:
    """Serve drivers within a program that has more to do; signals, logging and errors are its own.

    When it is cancelled, what is in hand is stopped and not reported.

    Args:
        drivers: see `serve`, as for all others.
        server: likewise.
        key: likewise.
        concurrency: likewise.
        name: likewise.
        labels: likewise.
        drain: when it is set, nothing more is taken, and this returns when what is in hand has ended.

    Raises:
        InvalidInputError: what is to be served is no driver.
        ConfigurationError: there is no key, or a setting makes no sense.
        AccessError: the server does not take the key, or takes it no more.
        ConflictError: another program of this name has taken this one's place.
        UnsupportedProtocolError: the server speaks another version of the protocol.
        ServerError: what answers is no Lineshaft server.
    """
    from lineshaft.sdk.driver.program import ProgramSettings, serve_all

    waiting: list[asyncio.Task[None]] = []

    async def drain_when_told(agents: "Sequence[Agent]", told: asyncio.Event) -> None:
        await told.wait()
        for agent in agents:
            agent.drain()

    def tell(agents: "Sequence[Agent]", _: "asyncio.Future[Any]") -> None:
        if drain is not None:
            waiting.append(asyncio.create_task(drain_when_told(agents, drain)))

    try:
        await serve_all(drivers, ProgramSettings(server, key, name, concurrency, frozenset(labels)), tell)
    finally:
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
