"""What it costs to look for what is due does not depend on how much of other kinds waits."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.dialects import sqlite

from lineshaft.store.migrate import migrate
from lineshaft.store.outbox import due_statement


def test_sqlite_seeks_each_kind_by_itself_and_sorts_nothing(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'lineshaft.db'}")
    with engine.connect() as connection:
        migrate(connection)
    engine.dispose()
    form = due_statement(3).compile(dialect=sqlite.dialect())
    with closing(sqlite3.connect(tmp_path / "lineshaft.db")) as database:
        values = [None] * len(form.positiontup or ())
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {form}", values)]

    seeks = [step for step in steps if step.startswith("SEARCH outbox")]
    assert len(seeks) == 3
    assert all("ix_outbox_by_kind (kind=? AND due_at<?)" in step for step in seeks)
    assert not [step for step in steps if "B-TREE" in step]
