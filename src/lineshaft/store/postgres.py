"""PostgreSQL: a pool of connections, through asyncpg."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Connection, ExceptionContext, NullPool, bindparam, event, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from lineshaft.model.errors import ConfigurationError
from lineshaft.store.backoff import Backoff
from lineshaft.store.driver import DatabaseLostError
from lineshaft.store.migrate import migrate
from lineshaft.store.notifications import CHANNEL, Notifications, payloads
from lineshaft.store.trouble import Trouble, trouble_of, words_of
from lineshaft.store.wakeups import LocalWakeUps

T = TypeVar("T")

POOL_SIZE: Final = 10
"""How many connections a process has at most, besides the one that listens."""

_CONNECT_TIMEOUT_S: Final = 10.0
_STATEMENT_TIMEOUT_S: Final = 60.0

# A wait for a lock ends, and the transaction begins anew, before PostgreSQL looks for deadlocks (after 1 s).
_LOCK_TIMEOUT: Final = {"lock_timeout": "300ms"}
_SETTINGS: Final = {"application_name": "lineshaft", "jit": "off"}

_NOTIFY: Final = select(func.pg_notify(bindparam("channel"), bindparam("payload")))


class Postgres:
    """A database that many processes share."""

    def __init__(self, url: str, wakeups: LocalWakeUps, backoff: Backoff) -> None:
        """Prepare to connect; see `open_server`."""
        self._url = url
        self._engine = _engine(self._connect, pool_size=POOL_SIZE, max_overflow=0)
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._notifications = Notifications(self._connect, wakeups, backoff)

    async def prepare(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection on which a statement may take as long as it takes."""
        engine = _engine(self._connect_patiently, poolclass=NullPool)
        async with engine.connect() as connection:
            return await connection.run_sync(do)

    async def listen(self) -> None:
        """Begin to hear what other processes announce."""
        await self._notifications.listen()

    async def write(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection whose transactions see what others commit meanwhile."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(do)

    async def read(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection whose transactions see one state and cannot write."""
        async with self._reading.connect() as connection:
            return await connection.run_sync(do)

    def announce(self, connection: Connection, topics: frozenset[str]) -> None:
        """Notify the other processes once the transaction commits."""
        for payload in payloads(self._notifications.sender, topics):
            connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})

    async def close(self) -> None:
        """Let go of all connections."""
        await self._notifications.close()
        await self._engine.dispose()

    async def _connect(self) -> Any:
        return await _connect(
            self._url,
            command_timeout=_STATEMENT_TIMEOUT_S,
            server_settings={**_SETTINGS, **_LOCK_TIMEOUT},
        )

    async def _connect_patiently(self) -> Any:
        return await _connect(self._url, server_settings=_SETTINGS)


async def open_server(url: str, wakeups: LocalWakeUps, backoff: Backoff) -> Postgres:
    """Connect to a database, bring it to this version's tables and begin to listen.

    Args:
        url: `postgresql://...`, with all that libpq and asyncpg allow in it.
        wakeups: hears what other processes announce.
        backoff: how to wait between tries to listen.

    Raises:
        ConfigurationError: the server refuses, or the database was written by a newer version.
        DatabaseLostError: the server cannot be reached.
    """
    database = Postgres(url, wakeups, backoff)
    try:
        await database.prepare(migrate)
        await database.listen()
    except BaseException as error:
        await database.close()
        refused = isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, ValueError))
        if refused and trouble_of(error) is Trouble.NONE:
            raise ConfigurationError(
                f"PostgreSQL refuses: {words_of(error)}.",
                advice="See that the URL names a database that exists and a user who owns it.",
            ) from error
        raise
    return database


async def _connect(url: str, **options: Any) -> Any:
    try:
        return await asyncpg.connect(url, timeout=_CONNECT_TIMEOUT_S, **options)
    except OSError as error:
        raise DatabaseLostError(str(error) or "no connection in time") from error


def _engine(connect: Callable[[], Any], **options: Any) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, isolation_level="READ COMMITTED", **options
    )
    # What breaks below the protocol comes as an OSError, which is not told from one that a function raises.
    event.listen(engine.sync_engine, "handle_error", _lost)
    return engine


def _lost(context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, OSError):
        raise DatabaseLostError(str(error) or "no answer in time") from error
