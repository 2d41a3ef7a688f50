"""SQLite: one connection that writes, in a thread of its own, and a few that read.

The driver is told to leave transactions alone, and the statements that begin them are issued where SQLAlchemy
begins one: the way of its documentation for all versions of Python.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import local
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from lineshaft.model.errors import ConfigurationError
from lineshaft.store.thread import SerialThread
from lineshaft.store.trouble import words_of

T = TypeVar("T")

READERS: Final = 4
"""How many reads run at once at most."""

_TEMPORARY: Final = ""
"""The name by which SQLite makes a private database that is in memory and spills to a temporary file."""

_PATIENCE_S: Final = 5.0
"""How long to wait for a lock that a program of another kind holds, such as one that makes a backup."""

# Debian's SQLite overwrites what is deleted with zeros unless told not to: every log would be written thrice.
_FILE_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "secure_delete=OFF",
    "journal_size_limit=67108864",
)
_TEMPORARY_PRAGMAS: Final = ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=ON", "cache_size=-16384")
_READER_PRAGMAS: Final = ("query_only=ON",)


class SqliteFile:
    """A database in a file, of which this process is the only user."""

    def __init__(self, path: Path, thread: SerialThread, writer: Connection, lock: int) -> None:
        """Take over what `open_file` has opened."""
        self._thread = thread
        self._writer = writer
        self._lock = lock
        self._engine = _engine(str(path), _READER_PRAGMAS, begin="BEGIN")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="lineshaft-reader")
        self._mine = local()
        self._reading: list[Connection] = []

    async def write(self, do: Callable[[Connection], T]) -> T:
        """Call a function with the connection that writes, in its thread."""
        return await self._thread.run(partial(do, self._writer))

    async def read(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection that reads, in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, do)

    def _read(self, do: Callable[[Connection], T]) -> T:
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = self._engine.connect()
            self._reading.append(connection)
        return do(connection)

    def announce(self, connection: Connection, topics: frozenset[str]) -> None:
        """Do nothing, for there is no other process."""

    async def close(self) -> None:
        """Let go of the file, the readers first so that the writer can take its journal away."""
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._reading:
            connection.close()
        await self._thread.run(self._writer.close)
        await self._thread.close()
        os.close(self._lock)


class SqliteTemporary:
    """A private database that is gone when it is closed: one connection in one thread."""

    def __init__(self, thread: SerialThread, connection: Connection) -> None:
        """Take over what `open_temporary` has opened."""
        self._thread = thread
        self._connection = connection

    async def write(self, do: Callable[[Connection], T]) -> T:
        """Call a function with the connection, in its thread."""
        return await self._thread.run(partial(do, self._connection))

    async def read(self, do: Callable[[Connection], T]) -> T:
        """Call a function with the connection, in its thread."""
        return await self._thread.run(partial(do, self._connection))

    def announce(self, connection: Connection, topics: frozenset[str]) -> None:
        """Do nothing, for there is no other process."""

    async def close(self) -> None:
        """Let go of it."""
        await self._thread.run(self._connection.close)
        await self._thread.close()


async def open_file(path: Path) -> SqliteFile:
    """Open a database file, which is made where there is none.

    Raises:
        ConfigurationError: it cannot be opened, or another process has it open.
    """
    lock = _lock(path)
    thread = SerialThread("lineshaft-writer")
    try:
        writer = await thread.run(partial(_connect, str(path), _FILE_PRAGMAS))
    except BaseException:
        await thread.close()
        os.close(lock)
        raise
    return SqliteFile(path, thread, writer, lock)


async def open_temporary() -> SqliteTemporary:
    """Make a temporary database."""
    thread = SerialThread("lineshaft-writer")
    return SqliteTemporary(thread, await thread.run(partial(_connect, _TEMPORARY, _TEMPORARY_PRAGMAS)))


def _connect(filename: str, pragmas: tuple[str, ...]) -> Connection:
    try:
        return _engine(filename, pragmas, begin="BEGIN IMMEDIATE").connect()
    except DBAPIError as error:
        raise ConfigurationError(
            f"The database {filename} cannot be opened: {words_of(error)}.",
            advice="Name a database of Lineshaft's, or a new file in a directory that can be written to.",
        ) from error


def _engine(filename: str, pragmas: tuple[str, ...], *, begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            filename, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.connection.cursor().execute(begin)

    return engine


def _lock(path: Path) -> int:
    """Keep other processes of Lineshaft's away from a database; the lock ends with this process."""
    name = f"{path}.lock"
    try:
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"The lock file {name} cannot be opened: {error.strerror}.",
            advice="Name a database in a directory that exists and can be written to.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        with suppress(OSError):
            os.close(lock)
        raise ConfigurationError(
            f"Another process of Lineshaft uses the database {path}.",
            advice="Stop it first, or use PostgreSQL, which many processes can share.",
        ) from error
    return lock
