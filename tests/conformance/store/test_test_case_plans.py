"""No statement about tests reads a whole table of them."""

import re
import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.dialects import postgresql, sqlite

from definitions import read_definition
from lineshaft.ports.ids import RandomIds
from lineshaft.store import open_store
from lineshaft.store.test_cases import history, keeping, reading

STATEMENTS: dict[str, Any] = {
    "history to remove": keeping.SELECT_HISTORY,
    "run to remove": keeping.SELECT_RUN,
    "summaries": reading.SELECT_SUMMARIES,
    "chunks": reading.SELECT_CHUNKS,
    "window": history.SELECT_WINDOW,
    "window of a branch": history.SELECT_WINDOW_OF_BRANCH,
    "means": history.SELECT_MEANS,
    "medians": history.SELECT_MEDIANS,
    "retried": history.SELECT_RETRIED,
    "split": history.SELECT_SPLIT,
    "failed": history.SELECT_FAILED,
    "moments": history.SELECT_MOMENTS,
    "whereabouts": history.SELECT_WHEREABOUTS,
    "chunk": history.SELECT_CHUNK,
}
FAILURES = {"retried", "split", "failed"}
VALUES: dict[str, Any] = {
    "of_pipeline": UUID(int=1),
    "of_pipeline_id": UUID(int=1),
    "of_run": UUID(int=1),
    "of_runs": [1, 2],
    "of_tests": [1, 2],
    "of_branch": "main",
    "of_result": "junit",
    "at_most": 1,
    "of_run_number": 1,
    "of_node": 1,
    "of_attempt": 1,
    "of_number": 0,
}


def spelt(name: str, dialect: Any) -> tuple[str, list[Any]]:
    compiled = STATEMENTS[name].compile(dialect=dialect)
    given = {key: VALUES[key] for key in compiled.params if key in VALUES}
    expanded = compiled.construct_expanded_state(given)
    return expanded.statement, list(expanded.positional_parameters)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_sqlite_searches_by_an_index(tmp_path: Path, name: str) -> None:
    path = tmp_path / "lineshaft.db"
    store = await open_store(f"sqlite:///{path}", ids=RandomIds(), read_definition=read_definition)
    await store.close()
    text, values = spelt(name, sqlite.dialect())
    connection = sqlite3.connect(path)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [None] * len(values))]
    connection.close()

    assert [step for step in plan if "SEARCH" in step]
    assert [
        step for step in plan if step.startswith("SCAN") and not re.match(r"SCAN (anon|.subquery)", step)
    ] == []
    assert name not in FAILURES or "ix_test_history_failures" in plan[0]


@pytest.mark.parametrize("name", STATEMENTS)
async def test_postgresql_can_search_by_an_index(postgres_url: str, name: str) -> None:
    store = await open_store(postgres_url, ids=RandomIds(), read_definition=read_definition)
    await store.close()
    dialect = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has not typed it.
    text, values = spelt(name, dialect)
    connection = await asyncpg.connect(postgres_url)
    # A table that is empty is read as a whole, unless nothing else can be done.
    await connection.execute("SET enable_seqscan = off")
    plan = [row[0] for row in await connection.fetch(f"EXPLAIN {text}", *values)]
    await connection.close()

    assert [step for step in plan if "Index" in step]
    assert [step for step in plan if "Seq Scan on" in step] == []
