"""What claims and arrivals cost does not depend on how much waits: the databases' plans say so.

SQLite plans by the indexes alone, PostgreSQL by what it knows of the tables' contents as well.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from sqlalchemy import ClauseElement, Dialect, create_engine, make_url
from sqlalchemy.dialects import sqlite

from lineshaft.store.migrate import migrate
from lineshaft.store.queue.arrival import INSERT_ATTEMPT
from lineshaft.store.queue.heads import SELECT_HEADS
from lineshaft.store.queue.room import SELECT_TAKEN
from lineshaft.store.queue.taking import take_statement

POSTGRESQL: Final[Dialect] = make_url("postgresql+asyncpg://").get_dialect()()
STATEMENTS: Final[dict[str, ClauseElement]] = {
    "an attempt arrives": INSERT_ATTEMPT.statement,
    "a claim looks for queues": SELECT_HEADS.statement,
    "a claim sums up what is held": SELECT_TAKEN.statement,
    "a claim takes one": take_statement(1),
    "a claim takes several": take_statement(8),
}

FILL: Final = (
    "INSERT INTO definitions (hash, format, text) VALUES ('h', 'rest', '')",
    """
    INSERT INTO pipelines (id, name, definition_hash, run_count, created_at, updated_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 'p', 'h', 0, now(), now() FROM generate_series(1, 50) n
    """,
    """
    INSERT INTO runs (id, pipeline_id, number, definition_hash, state, created_at, version, event_count)
    SELECT id, id, 1, 'h', 'running', now(), 1, 1 FROM pipelines
    """,
    """
    INSERT INTO attempts (run_id, node, attempt, kind, state, queued_at, stopping, log_size, queue,
        pipeline_id, turn)
    SELECT r.id, n, 1, 'run',
        CASE WHEN n <= 5 THEN 'running' WHEN n <= 50 THEN 'succeeded' ELSE 'queued' END,
        now(), false, 0, CASE n % 3 WHEN 0 THEN 'run a' WHEN 1 THEN 'run b' ELSE 'run c' END,
        r.pipeline_id, n
    FROM runs r, generate_series(1, 400) n
    """,
)
"""Queues 17,500 attempts of 50 pipelines in three queues; some run, and more have ended."""


def compiled(statement: ClauseElement, dialect: Dialect) -> tuple[str, int]:
    """Spell a statement as a database's driver takes it, and count its parameters."""
    form = statement.compile(dialect=dialect)
    return str(form), len(getattr(form, "positiontup", None) or ())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite database."""
    path = tmp_path / "lineshaft.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        migrate(connection)
    engine.dispose()
    return path


@pytest.mark.parametrize("what", STATEMENTS)
def test_sqlite_seeks_in_an_index_whenever(file: Path, what: str) -> None:
    text, count = compiled(STATEMENTS[what], sqlite.dialect())
    with closing(sqlite3.connect(file)) as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [None] * count)]

    assert not [step for step in steps if re.match(r"SCAN (attempts|other|workers)", step)]
    seeks = [step for step in steps if re.match(r"SEARCH (attempts|other)", step)]
    assert seeks
    assert all("queue" in step or "worker_id=?" in step or "run_id=?" in step for step in seeks)
    assert not [step for step in steps if "B-TREE" in step]


def test_sqlite_seeks_the_last_turn_of_a_pipeline_by_the_pipeline(file: Path) -> None:
    text, count = compiled(INSERT_ATTEMPT.statement, sqlite.dialect())
    with closing(sqlite3.connect(file)) as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [None] * count)]

    assert [step for step in steps if "(pipeline_id=? AND queue=? AND priority>? AND priority<?)" in step]


async def test_postgresql_seeks_in_an_index_whenever(postgres_url: str) -> None:
    server = await asyncpg.connect(postgres_url, server_settings={"plan_cache_mode": "force_generic_plan"})
    try:
        for statement in FILL:
            await server.execute(statement)
        for statistics in ("SELECT 1", "ANALYZE"):
            await server.execute(statistics)
            for what, each in STATEMENTS.items():
                check_plan(what, await plan_of(server, each))
    finally:
        await server.close()


async def test_postgresql_reads_past_nothing_although_it_knows_nothing(postgres_url: str) -> None:
    # A plan that is made for an empty table stays in use while the table grows.
    server = await asyncpg.connect(postgres_url, server_settings={"plan_cache_mode": "force_generic_plan"})
    try:
        for what, each in STATEMENTS.items():
            plan = await plan_of(server, each)
            assert not [line for line in plan if "Filter" in line and "pipeline_id" in line], (what, plan)
    finally:
        await server.close()


async def plan_of(server: Any, statement: ClauseElement) -> list[str]:
    text, count = compiled(statement, POSTGRESQL)
    await server.execute(f"PREPARE asked AS {text}")
    rows = await server.fetch(f"EXPLAIN (VERBOSE, COSTS OFF) EXECUTE asked({', '.join(['NULL'] * count)})")
    await server.execute("DEALLOCATE asked")
    return [row[0] for row in rows]


def check_plan(what: str, lines: list[str]) -> None:
    plan = "\n".join(lines)
    assert "Seq Scan on public.attempts" not in plan, (what, plan)
    seeks = re.findall(r"Index .*Scan.* on (?:public\.attempts|ix_attempts)", plan)
    assert seeks, (what, plan)
    assert plan.count("Index Cond") >= len(seeks), (what, plan)
    assert "Sort" not in plan, (what, plan)
