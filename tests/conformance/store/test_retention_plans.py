"""No statement of retention reads a whole table of runs, or of what they consist of."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.dialects import postgresql, sqlite

from definitions import read_definition
from lineshaft.ports.ids import RandomIds
from lineshaft.store import open_store, retention

STATEMENTS: dict[str, Any] = {
    "ended": retention.SELECT_ENDED,
    "last kept": retention.SELECT_LAST_KEPT,
    "surplus": retention.SELECT_SURPLUS,
    "with logs": retention.SELECT_WITH_LOGS,
    "removable": retention.HOLD_REMOVABLE,
    "attempts": retention.SELECT_ATTEMPTS,
    "logs": retention.SELECT_LOGS,
    "pipelines": retention.SELECT_PIPELINES,
    "definitions": retention.DELETE_DEFINITIONS,
    **{f"part of {name}": statement for name, statement in retention.SELECT_PARTS.items()},
    **{f"rest of {statement.table}": statement for statement in retention.DELETE_REST},
}
SMALL = {"pipelines", "definitions"}

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOME_ID = UUID(int=1)
VALUES = {
    "before": NOW,
    "after_end": NOW,
    "after_id": SOME_ID,
    "at_most": 10,
    "of_pipeline": SOME_ID,
    "but_for": 1,
    "last_kept": 7,
    "of_run": SOME_ID,
    "after_hash": "a",
    "last_hash": "b",
}


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    path = tmp_path / "lineshaft.db"
    store = await open_store(f"sqlite:///{path}", ids=RandomIds(), read_definition=read_definition)
    await store.close()
    return path


@pytest.mark.parametrize("name", STATEMENTS)
async def test_sqlite_searches_by_an_index(file: Path, name: str) -> None:
    compiled = STATEMENTS[name].compile(dialect=sqlite.dialect())
    connection = sqlite3.connect(file)
    bound = [None] * len(compiled.positiontup)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {compiled}", bound)]
    connection.close()

    scanned = [step for step in plan if step.startswith("SCAN") and step.split()[1] not in SMALL]
    assert plan
    assert scanned == []


@pytest.mark.parametrize("name", STATEMENTS)
async def test_postgresql_can_search_by_an_index(postgres_url: str, name: str) -> None:
    store = await open_store(postgres_url, ids=RandomIds(), read_definition=read_definition)
    await store.close()
    dialect = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has not typed it.
    compiled = STATEMENTS[name].compile(dialect=dialect)
    values = [VALUES.get(key, compiled.params[key]) for key in compiled.positiontup]
    connection = await asyncpg.connect(postgres_url)
    # A table that is empty is read as a whole, unless nothing else can be done.
    await connection.execute("SET enable_seqscan = off")
    plan = [row[0] for row in await connection.fetch(f"EXPLAIN {compiled}", *values)]
    await connection.close()

    scanned = [step.partition("Seq Scan on ")[2].split()[0] for step in plan if "Seq Scan on" in step]
    assert plan
    assert set(scanned) <= SMALL
