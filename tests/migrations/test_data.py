"""What was in the tables before a migration is there behind it."""

from typing import Any
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, column, create_engine, text
from sqlalchemy import table as sql_table

from lineshaft.store.migrate import migrate

RUN = UUID(int=2).hex
TIME = "2026-01-01 00:00:00.000000"


def at_revision(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "lineshaft.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def insert(connection: Connection, table: str, **values: Any) -> None:
    connection.execute(sql_table(table, *map(column, values)).insert(), values)


def test_a_run_of_the_first_tables_is_kept_with_why_its_nodes_are_being_stopped() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        with connection.begin():
            at_revision(connection, "0001")
            insert(connection, "definitions", hash="h", format="rest", text="{}")
            pipeline = UUID(int=1).hex
            insert(
                connection, "pipelines", id=pipeline, name="p", definition_hash="h", run_count=1,
                created_at=TIME, updated_at=TIME,
            )  # fmt: skip
            insert(
                connection, "runs", id=RUN, pipeline_id=pipeline, number=1, definition_hash="h",
                state="running", cancel_reason_code="superseded", cancel_reason_text="Again.",
                created_at=TIME, version=3, event_count=5,
            )  # fmt: skip
            for node, stopping in ((1, True), (2, False)):
                insert(
                    connection, "nodes", run_id=RUN, node=node, state="running", attempt=1, stopping=stopping
                )

        migrate(connection)

        run = connection.execute(text("SELECT * FROM runs")).one()
        assert (run.cause, run.concurrency_group, run.growths, run.output_count) == ("manual", "", 0, 0)
        nodes = connection.execute(
            text("SELECT node, losses, stop_state, stop_code, stop_text FROM nodes ORDER BY node")
        )
        assert nodes.all() == [(1, 0, "cancelled", "superseded", "Again."), (2, 0, None, None, None)]
    engine.dispose()


def test_the_schedules_that_pipelines_have_are_taken_over_and_worked_out_later() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        with connection.begin():
            at_revision(connection, "0008")
            said = '{"name":"p","on":{"push":{},"schedule":["0 3 * * *","*/5 * * * *"]},"steps":[]}'
            other = '{"name":"\\"schedule\\":","steps":[],"env":{"schedule":"x"}}'
            for number, text_of in ((1, said), (2, other), (3, said)):
                insert(connection, "definitions", hash=f"h{number}", format="native", text=text_of)
                insert(
                    connection, "pipelines", id=UUID(int=number).hex, name="p", run_count=0,
                    definition_hash=f"h{number}", created_at=TIME, updated_at=TIME,
                    deleted_at=TIME if number == 3 else None,
                )  # fmt: skip

        migrate(connection)

        kept = connection.execute(text("SELECT * FROM schedules ORDER BY position")).all()
        assert [(row.pipeline_id, row.cron, row.timezone, row.next_at) for row in kept] == [
            (UUID(int=1).hex, "0 3 * * *", "UTC", None),
            (UUID(int=1).hex, "*/5 * * * *", "UTC", None),
        ]
        assert all(row.worked_out_at > "8999" for row in kept)
    engine.dispose()


def test_pipelines_runs_and_worker_keys_from_before_there_were_resources_are_as_they_were() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        with connection.begin():
            at_revision(connection, "0011")
            insert(connection, "definitions", hash="h", format="rest", text="{}")
            pipeline = UUID(int=1).hex
            insert(
                connection, "pipelines", id=pipeline, name="p", definition_hash="h", run_count=1,
                created_at=TIME, updated_at=TIME,
            )  # fmt: skip
            insert(
                connection, "runs", id=RUN, pipeline_id=pipeline, number=1, definition_hash="h",
                state="running", created_at=TIME, version=3, event_count=5,
            )  # fmt: skip

        migrate(connection)

        run = connection.execute(text("SELECT * FROM runs")).one()
        assert (run.subject, run.resource_id, run.state) == (None, None, "running")
        kept = connection.execute(text("SELECT * FROM pipelines")).one()
        assert (kept.relays, kept.run_count) == (None, 1)
        for table in ("resource_definitions", "resources", "resource_versions", "drivers"):
            assert connection.execute(text(f"SELECT * FROM {table}")).all() == []  # noqa: S608 - names of our own.
    engine.dispose()
