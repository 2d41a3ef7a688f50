"""The cursor of the database's driver, with nothing around it.

SQLAlchemy makes an execution context, a result and a cursor for each statement, which takes longer than the
driver's own part. It is left the connection and the transaction, and what to do when a connection breaks.
"""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor

Bound = tuple[Any, ...] | list[tuple[Any, ...]]
"""The parameters of a statement in the driver's form; a list of them, to execute it for each."""


class DatabaseLostError(Exception):
    """The database cannot be reached, or stopped answering."""


def execute(connection: Connection, text: str, bound: Bound) -> DBAPICursor:
    """Execute a statement in the driver's form within the connection's transaction.

    Raises:
        DatabaseLostError: the database stopped answering.
        Exception: what the driver says.
    """
    cursor = connection.connection.cursor()
    try:
        if isinstance(bound, list):
            cursor.executemany(text, bound)
        else:
            cursor.execute(text, bound)
    except Exception as error:
        _see_to(connection, error)
        raise
    return cursor


def _see_to(connection: Connection, error: Exception) -> None:
    """Have no connection used again that an error has broken.

    Raises:
        DatabaseLostError: the error says that the database stopped answering.
    """
    dialect = connection.dialect
    if dialect.name == "sqlite":
        return
    if dialect.is_disconnect(error, connection.connection.dbapi_connection, None):  # type: ignore[arg-type] # Its adapter.
        # It fails again, and SQLAlchemy does what there is to do about all connections of that server.
        connection.exec_driver_sql("SELECT 1")
    if isinstance(error, OSError):
        raise DatabaseLostError(str(error) or "no answer in time") from error
    if isinstance(error, dialect.dbapi.InvalidCachedStatementError):  # type: ignore[union-attr]
        # Another version has changed a table; a new connection prepares its statements anew.
        connection.invalidate(error)
