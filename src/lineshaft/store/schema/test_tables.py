"""What attempts have told of their tests."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Uuid,
    literal_column,
)

from lineshaft.store.columns import Name
from lineshaft.store.schema.declaring import metadata, partial_index

test_results: Final = Table(
    "test_results",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("result", Name, primary_key=True),
    Column("pipeline_id", Uuid, nullable=False),
    Column("run_number", BigInteger, nullable=False),
    Column("path", String, nullable=False),
    Column("branch", String, nullable=False),
    Column("commit", String),
    Column("passed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("error", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    sqlite_with_rowid=False,
)
"""What the test cases of each result have come to."""
Index("ix_test_results_by_pipeline", test_results.c.pipeline_id, test_results.c.run_number)

test_chunks: Final = Table(
    "test_chunks",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("result", Name, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
"""Test cases with all their texts, a row for each message that told of them, as
`store.test_cases.chunk` packs it; empty where they are only counted. Chunks are large, so they keep SQLite's
row ids."""

test_history: Final = Table(
    "test_history",
    metadata,
    Column("pipeline_id", Uuid, primary_key=True),
    Column("run_number", BigInteger, primary_key=True, autoincrement=False),
    Column("test", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("node", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("seconds", Float),
    Column("result", Name, nullable=False),
    Column("number", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How each test ended in each attempt of each run, without its texts: what is asked across runs. `test`
stands for its names, `number` and `position` say where it is in its result's chunks."""
partial_index(
    "ix_test_history_failures",
    test_history.c.pipeline_id,
    test_history.c.run_number,
    test_history.c.test,
    test_history.c.attempt,
    test_history.c.state,
    where=test_history.c.state >= literal_column("2"),
)
