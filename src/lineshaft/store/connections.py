"""Connections in the database."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, delete, select

from lineshaft.model.connection import Connection, ForgeKind
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import connections
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_replace

_OF_NAME: Final = connections.c.name == bindparam("of_name")
_SELECT: Final = Prepared(select(connections).where(_OF_NAME))
_SELECT_ALL: Final = Prepared(select(connections).order_by(connections.c.name))
_PUT: Final = insert_or_replace(connections, "name", keep=("id", "created_at"))
_DELETE: Final = delete(connections).where(_OF_NAME)


class SqlConnections:
    """The connections to forges; see `ports.store.Connections`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def put(self, connection: Connection) -> None:
        """Add one, or give the one of the same name all but its id and its beginning anew."""
        self._session.change()
        values = {column.name: getattr(connection, column.name) for column in connections.columns}
        self._session.connection.execute(_PUT, {**values, "kind": connection.kind.value})

    def get(self, name: str) -> Connection | None:
        """Find one by its name."""
        rows = _SELECT.rows(self._session.connection, {"of_name": name})
        return _connection(rows[0]) if rows else None

    def remove(self, name: str) -> bool:
        """Remove one; False when there is none of that name."""
        self._session.change()
        return self._session.connection.execute(_DELETE, {"of_name": name}).rowcount > 0

    def all(self) -> Sequence[Connection]:
        """List them, by name."""
        return [_connection(row) for row in _SELECT_ALL.rows(self._session.connection, {})]


def _connection(row: Sequence[Any]) -> Connection:
    given = dict(zip(connections.columns.keys(), row, strict=True))
    return Connection(**{**given, "kind": ForgeKind(given["kind"])})
