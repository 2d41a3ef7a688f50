"""How a store is opened."""

import asyncio
from pathlib import Path
from typing import Final

from lineshaft.model.errors import ConfigurationError
from lineshaft.ports.ids import Ids
from lineshaft.store.backoff import Backoff, Sleep
from lineshaft.store.database import Database
from lineshaft.store.migrate import migrate
from lineshaft.store.retry import retried
from lineshaft.store.session import Memory, ReadDefinition, ReadGenerated, no_generated
from lineshaft.store.sql_store import SqlStore
from lineshaft.store.sqlite import open_file, open_temporary
from lineshaft.store.wakeups import LocalWakeUps

TEMPORARY: Final = "sqlite://"
"""The URL of a database of one's own that is gone when it is closed."""

_FILE: Final = "sqlite:///"
_SERVER: Final = ("postgresql://", "postgres://")


async def open_store(
    url: str,
    *,
    ids: Ids,
    read_definition: ReadDefinition,
    read_generated: ReadGenerated = no_generated,
    sleep: Sleep = asyncio.sleep,
) -> SqlStore:
    """Open a store, and bring its database to this version's tables first.

    Args:
        url: `sqlite:///relative/path` or `sqlite:////absolute/path` for a file that this process alone uses;
            `sqlite://` for a temporary database; `postgresql://...`, as libpq reads it, for a server that
            many processes share.
        ids: where the ids of outbox entries come from.
        read_definition: reads a definition's format and canonical text, as it was stored.
        read_generated: reads nodes that a task made, which were found good when they joined their run.
        sleep: waits so many seconds.

    Raises:
        ConfigurationError: the URL makes no sense, another process uses the file, the server refuses, or
            the database was written by a newer version.
        StoreUnavailableError: the server does not answer.
    """
    backoff = Backoff(sleep)
    wakeups = LocalWakeUps()
    database = await _open(url, wakeups, backoff)
    memory = Memory(
        read_definition, ids, sole_writer=not url.startswith(_SERVER), read_generated=read_generated
    )
    return SqlStore(database, memory, wakeups, backoff)


async def _open(url: str, wakeups: LocalWakeUps, backoff: Backoff) -> Database:
    if url.startswith(_SERVER):
        # asyncpg and greenlet are loaded only where they are used.
        from lineshaft.store.postgres import open_server

        return await retried(lambda: open_server(url, wakeups, backoff), backoff)
    if url == TEMPORARY:
        return await _migrated(await open_temporary())
    if url.startswith(_FILE) and url != _FILE:
        return await _migrated(await open_file(Path(url.removeprefix(_FILE))))
    raise ConfigurationError(
        "The database's URL is not one that Lineshaft knows.",
        advice="Write sqlite:///path/to/file or postgresql://user:password@host/name.",
    )


async def _migrated(database: Database) -> Database:
    try:
        await database.write(migrate)
    except BaseException:
        await database.close()
        raise
    return database
