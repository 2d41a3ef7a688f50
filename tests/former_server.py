"""A server of the version before: what it says to the database, whose tables were those of revision 0002."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from uuid import UUID

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from definitions import definition
from trees import parallel

REVISION = "0002"
TIME = "2026-01-01 00:00:00.000000"
TOKEN = "former"
SHOP = definition(parallel("a", "b", "c", name="shop"))

_SQLITE = "sqlite:///"


_ADD_DEFINITION = """
INSERT INTO definitions (hash, format, text) VALUES ('$hash', 'rest', '$text') ON CONFLICT (hash) DO NOTHING
"""
_ADD_PIPELINE = """
INSERT INTO pipelines (id, name, definition_hash, run_count, created_at, updated_at)
VALUES ('$pipeline', 'shop', '$hash', 1, '$time', '$time')
"""
_ADD_RUN = """
INSERT INTO runs (id, pipeline_id, number, definition_hash, repository, source, inputs, cause, parent_run,
    parent_node, parent_attempt, concurrency_group, retry_of, created_at, "commit", state, reason_code,
    reason_text, cancel_reason_code, cancel_reason_text, started_at, ended_at, version, event_count, growths,
    output_count)
VALUES ('$run', '$pipeline', 1, '$hash', NULL, NULL, NULL, 'manual', NULL, NULL, NULL, '', NULL, '$time',
    NULL, 'queued', NULL, NULL, NULL, NULL, NULL, NULL, 2, 1, 0, 0)
"""
_QUEUE = """
INSERT INTO attempts (run_id, node, attempt, kind, state, queued_at, stopping, log_size, labels)
VALUES ('$run', $node, 1, 'run', 'queued', '$time', false, 0, $labels)
"""
_CLAIM = """
WITH oldest AS (
    SELECT run_id, node, attempt, queued_at FROM attempts WHERE state = 'queued' AND kind = 'run'
    ORDER BY queued_at, run_id, node LIMIT $at_most $lock)
UPDATE attempts SET state = 'running', worker_id = '$worker', token = '$token',
    lease_expires_at = '2026-01-01 00:01:00.000000'
WHERE (run_id, node, attempt) IN (SELECT run_id, node, attempt FROM oldest)
RETURNING node
"""
_END = "UPDATE attempts SET state = 'succeeded' WHERE run_id = '$run' AND node = $node AND attempt = 1"
_REGISTER = """
INSERT INTO workers (id, name, kinds, slots, registered_at, seen_at)
VALUES ('$worker', '$name', '["run"]', 4, '$time', '$time') ON CONFLICT (name) DO NOTHING
"""
_REPLACE = """
UPDATE workers SET id = '$worker', name = '$name', kinds = '["run"]', slots = 4, registered_at = '$time',
    seen_at = '$time'
WHERE workers.id = '$former'
"""


@dataclass(frozen=True)
class FormerServer:
    """A connection to the database of a server of the version before."""

    url: str

    async def make_tables(self) -> None:
        """Bring an empty database to the tables that it knows."""
        if self.url.startswith(_SQLITE):
            engine = create_engine(self.url)
            with engine.begin() as connection:
                _upgrade(connection)
            engine.dispose()
            return
        server = create_async_engine(
            self.url.replace("postgresql://", "postgresql+asyncpg://"), poolclass=NullPool
        )
        async with server.begin() as connected:
            await connected.run_sync(_upgrade)
        await server.dispose()

    async def add_pipeline(self, pipeline: UUID) -> None:
        """Add a pipeline with its definition."""
        await self._say(_ADD_DEFINITION)
        await self._say(_ADD_PIPELINE, pipeline=pipeline.hex)

    async def add_run(self, run: UUID, pipeline: UUID) -> None:
        """Insert a run."""
        await self._say(_ADD_RUN, run=run.hex, pipeline=pipeline.hex)

    async def queue(self, run: UUID, node: int, labels: str = "NULL") -> None:
        """Insert an attempt that is queued."""
        await self._say(_QUEUE, run=run.hex, node=node, labels=labels)

    async def claim(self, worker: UUID, at_most: int = 1) -> list[int]:
        """Take the oldest attempts that are queued, and tell their nodes."""
        lock = "" if self.url.startswith(_SQLITE) else "FOR UPDATE SKIP LOCKED"
        rows = await self._say(_CLAIM, worker=worker.hex, at_most=at_most, lock=lock)
        return sorted(row[0] for row in rows)

    async def end(self, run: UUID, node: int) -> None:
        """Note that an attempt has ended."""
        await self._say(_END, run=run.hex, node=node)

    async def register(self, worker: UUID, name: str, former: UUID | None = None) -> None:
        """Begin a worker's session, in the place of a former one where there is one."""
        if former is None:
            await self._say(_REGISTER, worker=worker.hex, name=name)
        else:
            await self._say(_REPLACE, worker=worker.hex, name=name, former=former.hex)

    async def _say(self, template: str, **values: object) -> Sequence[Sequence[Any]]:
        known = {"hash": SHOP.hash, "text": SHOP.text, "time": TIME, "token": TOKEN}
        statement = Template(template).substitute(known, **values)
        if self.url.startswith(_SQLITE):
            with closing(sqlite3.connect(Path(self.url.removeprefix(_SQLITE)))) as connection, connection:
                return connection.execute(statement).fetchall()
        server = await asyncpg.connect(self.url, server_settings={"timezone": "UTC"})
        try:
            rows: Sequence[Sequence[Any]] = await server.fetch(statement)
            return rows
        finally:
            await server.close()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "lineshaft.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, REVISION)
