"""Tables to which rows are only added: the database itself refuses to change or remove one."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import DDL, Table, event

_TRIGGERS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": (
        """
        CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
        """,
        """
        CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$
        """,
        """
        CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()
        """,
    ),
}


def append_only(table: Table) -> None:
    """Have the triggers made with the table, and gone with it.

    A migration that makes the table makes them as well; a test compares the two.
    """
    for dialect, statements in _TRIGGERS.items():
        for statement in statements:
            _listen(table, "after_create", statement.format(table=table.name), dialect)
    _listen(table, "after_drop", f"DROP FUNCTION {table.name}_refuse()", "postgresql")


def _listen(table: Table, moment: str, statement: str, dialect: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call] # SQLAlchemy does not say its types.
    event.listen(table, moment, ddl.execute_if(dialect=dialect))
