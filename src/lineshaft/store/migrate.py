"""Brings a database to the tables of this version.

An empty database gets the tables as `schema` declares them, at once; one of an earlier version goes through
the migrations in `migrations/versions`, which end at the same tables (a test compares them). Only the latter
needs Alembic, whose import is a good part of a server's start. There is no way down: a backup is.
"""

from typing import Final

from sqlalchemy import Connection, func, insert, inspect, select

from lineshaft.model.errors import ConfigurationError
from lineshaft.store.schema import REVISION, alembic_version, metadata

_LOCK: Final = 0x6C696E6573686166
"""The PostgreSQL advisory lock under which one process migrates: "lineshaf" in ASCII."""


def migrate(connection: Connection) -> None:
    """Bring a database to the newest revision; processes that do so at once wait for each other.

    Args:
        connection: not in a transaction.

    Raises:
        ConfigurationError: the database is at a revision that this version does not know, or is another
            program's.
    """
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        revision = stored_revision(connection)
        if revision is None:
            _create(connection)
        elif revision != REVISION:
            upgrade(connection, revision)


def stored_revision(connection: Connection) -> str | None:
    """Tell the revision that a database is at; None when it is at none."""
    if not inspect(connection).has_table(alembic_version.name):
        return None
    return connection.execute(select(alembic_version.c.version_num)).scalar_one_or_none()


def upgrade(connection: Connection, revision: str | None) -> None:
    """Run the migrations behind a revision, within the connection's transaction.

    Raises:
        ConfigurationError: this version does not know the revision.
    """
    from alembic import command  # Only a database of an earlier version needs it.
    from alembic.config import Config  # As above.
    from alembic.script import ScriptDirectory  # As above.
    from alembic.util import CommandError  # As above.

    config = Config()
    config.set_main_option("script_location", "lineshaft.store:migrations")
    config.attributes["connection"] = connection
    try:
        ScriptDirectory.from_config(config).get_revisions(revision or ())
    except CommandError as error:
        raise ConfigurationError(
            f"The database was written by a newer version of Lineshaft: it is at revision {revision}, and "
            f"this one knows those up to {REVISION}.",
            advice="Install the version that wrote it, or a later one, or restore a backup.",
        ) from error
    command.upgrade(config, "head")


def _create(connection: Connection) -> None:
    strangers = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
    if strangers:
        raise ConfigurationError(
            f"The database has tables of another program: {', '.join(strangers)}.",
            advice="Give Lineshaft a database of its own.",
        )
    metadata.create_all(connection, checkfirst=False)
    alembic_version.create(connection)
    connection.execute(insert(alembic_version), {"version_num": REVISION})
