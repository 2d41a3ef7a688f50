"""Looking for resources that are to go to their drivers costs nothing where there are none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import ClauseElement, create_engine
from sqlalchemy.dialects import sqlite

from lineshaft.store.migrate import migrate
from lineshaft.store.resources import SELECT_DELETED, SELECT_DUE, SELECT_NOT_CARRIED, SELECT_RUN_GONE

STATEMENTS = {
    "ix_resources_not_carried": SELECT_NOT_CARRIED,
    "ix_resources_going_on": SELECT_RUN_GONE,
    "ix_resources_by_resync": SELECT_DUE,
    "ix_resources_deleted": SELECT_DELETED,
}


@pytest.mark.parametrize("index", STATEMENTS)
def test_sqlite_looks_at_the_resources_of_one_index_only(index: str, tmp_path: Path) -> None:
    statement: ClauseElement = STATEMENTS[index].params(types=["app"], before=None, now=None, at_most=1)
    engine = create_engine(f"sqlite:///{tmp_path / 'lineshaft.db'}")
    with engine.connect() as connection:
        migrate(connection)
    engine.dispose()
    form = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    with closing(sqlite3.connect(tmp_path / "lineshaft.db")) as database:
        values = [None] * len(getattr(form, "positiontup", None) or ())
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {form}", values)]

    looks = [step for step in steps if " resources" in step]
    assert len(looks) == 1
    assert index in looks[0]
    assert not [step for step in steps if "B-TREE" in step]
