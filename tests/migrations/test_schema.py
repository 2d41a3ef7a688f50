"""The history of the tables ends at the tables as they are declared."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text, update
from sqlalchemy.ext.asyncio import create_async_engine

from lineshaft.model.errors import ConfigurationError
from lineshaft.store.migrate import migrate, stored_revision, upgrade
from lineshaft.store.schema import REVISION, alembic_version, metadata

T = TypeVar("T")


class Call(Protocol):
    """Calls a function with a connection to a database that began empty."""

    def __call__(self, do: Callable[[Connection], T]) -> Awaitable[T]: ...


@pytest.fixture
async def call(empty_database_url: str) -> AsyncIterator[Call]:
    if empty_database_url.startswith("sqlite"):
        engine = create_engine(empty_database_url)
        with engine.connect() as connection:

            async def do_here(do: Callable[[Connection], T]) -> T:
                return do(connection)

            yield do_here
        engine.dispose()
    else:
        server = create_async_engine(
            empty_database_url.replace("postgresql://", "postgresql+asyncpg://"), poolclass=NullPool
        )
        async with server.connect() as connection_to_server:

            async def do_there(do: Callable[[Connection], T]) -> T:
                return await connection_to_server.run_sync(do)

            yield do_there
        await server.dispose()


async def test_the_migrations_end_at_the_declared_tables(call: Call) -> None:
    await call(from_the_first_on)

    assert await call(differences) == []
    assert await call(revision) == REVISION


async def test_an_empty_database_gets_the_declared_tables(call: Call) -> None:
    await call(migrate)

    assert await call(differences) == []
    assert await call(revision) == REVISION


async def test_an_empty_database_becomes_just_what_the_migrations_make_of_it(call: Call) -> None:
    await call(migrate)
    declared = await call(described)
    await call(cleared)
    await call(from_the_first_on)

    assert await call(described) == declared


async def test_migrating_again_changes_nothing(call: Call) -> None:
    await call(migrate)
    before = await call(described)

    await call(migrate)

    assert await call(described) == before


async def test_a_newer_revision_is_refused(call: Call) -> None:
    await call(migrate)
    await call(lambda connection: set_revision(connection, "9999"))

    with pytest.raises(ConfigurationError, match=r"newer version .* revision 9999"):
        await call(migrate)

    assert await call(revision) == "9999"


def test_the_newest_migration_is_the_one_that_the_schema_names() -> None:
    assert history().get_heads() == [REVISION]


def test_the_history_is_one_line() -> None:
    steps = [(step.revision, step.down_revision) for step in history().walk_revisions()]

    assert [down for _, down in steps] == [*(revision for revision, _ in steps[1:]), None]


def test_no_migration_offers_a_way_down() -> None:
    assert not any(hasattr(step.module, "downgrade") for step in history().walk_revisions())


def history() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", "lineshaft.store:migrations")
    return ScriptDirectory.from_config(config)


def from_the_first_on(connection: Connection) -> None:
    with connection.begin():
        upgrade(connection, None)


def differences(connection: Connection) -> list[Any]:
    with connection.begin():
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def revision(connection: Connection) -> str | None:
    with connection.begin():
        return stored_revision(connection)


def set_revision(connection: Connection, name: str) -> None:
    with connection.begin():
        connection.execute(update(alembic_version).values(version_num=name))


def cleared(connection: Connection) -> None:
    with connection.begin():
        metadata.drop_all(connection)
        alembic_version.drop(connection)


def described(connection: Connection) -> list[tuple[Any, ...]]:
    """Describe all tables in the database's own words."""
    questions = QUESTIONS[connection.dialect.name]
    with connection.begin():
        rows = [tuple(row) for question in questions for row in connection.execute(text(question))]
    return sorted(rows, key=repr)


QUESTIONS = {
    "sqlite": (
        """
        SELECT t.name, t.wr, c.name, c.type, c."notnull", c.dflt_value, c.pk
        FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c WHERE t.name NOT LIKE 'sqlite_%'
        """,
        """
        SELECT t.name, f."from", f."table", f."to"
        FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f
        """,
        """
        SELECT t.name, i."unique", i.origin, x.seqno, x.name
        FROM pragma_table_list t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) x
        """,
        "SELECT name, sql FROM sqlite_master WHERE type = 'index'",
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
    ),
    "postgresql": (
        """
        SELECT table_name, column_name, data_type, character_maximum_length, collation_name, is_nullable,
          column_default
        FROM information_schema.columns WHERE table_schema = 'public'
        """,
        """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        """,
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    ),
}
