"""A long history, made of one run that has ended by writing its rows again and again."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from lineshaft.ports.ids import RandomIds
from lineshaft.store.backoff import Backoff
from lineshaft.store.database import Database
from lineshaft.store.postgres import open_server
from lineshaft.store.schema import attempts, events, nodes, pipelines, runs
from lineshaft.store.sqlite import open_file
from lineshaft.store.wakeups import LocalWakeUps

_AT_ONCE: Final = 1_000
_FILE: Final = "sqlite:///"
_OF_RUNS: Final = (nodes, events, attempts)


async def lengthen_history(database_url: str, length: int) -> None:
    """Bring a database to so many runs, all copies of its oldest one, which has ended.

    To be called while no store has the database open.
    """
    database = await _open(database_url)
    try:
        while await database.write(lambda connection: _copy_some(connection, length)):
            pass
    finally:
        await database.close()


async def _open(database_url: str) -> Database:
    if database_url.startswith(_FILE):
        return await open_file(Path(database_url.removeprefix(_FILE)))
    return await open_server(database_url, LocalWakeUps(), Backoff(asyncio.sleep))


def _copy_some(connection: Connection, length: int) -> int:
    """Write some copies in a transaction, and tell how many."""
    with connection.begin():
        run = connection.execute(select(runs).order_by(runs.c.id).limit(1)).mappings().one()
        number = connection.execute(select(pipelines.c.run_count)).scalar_one()
        ids = RandomIds()
        copies = {ids.new_id(): each for each in range(number + 1, min(length, number + _AT_ONCE) + 1)}
        if not copies:
            return 0
        rows = [{**run, "id": run_id, "number": each} for run_id, each in copies.items()]
        connection.execute(insert(runs), rows)
        for table in _OF_RUNS:
            selected = connection.execute(select(table).where(table.c.run_id == run["id"])).mappings()
            connection.execute(insert(table), list(_copied(selected.all(), copies)))
        connection.execute(update(pipelines).values(run_count=number + len(copies)))
        return len(copies)


def _copied(rows: Any, run_ids: Mapping[UUID, int]) -> Iterator[dict[str, Any]]:
    for run_id in run_ids:
        for row in rows:
            yield {**row, "run_id": run_id}
