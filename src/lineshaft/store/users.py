"""Users in the database."""

from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from lineshaft.model.role import Role
from lineshaft.model.user import User
from lineshaft.store.schema import users
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_replace

_SELECT: Final = select(users).where(users.c.name == bindparam("of_name"))
_PUT: Final = insert_or_replace(users)


class SqlUsers:
    """Who may call the API; see `ports.store.Users`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def get(self, name: str) -> User | None:
        """Find one by name."""
        row = self._session.connection.execute(_SELECT, {"of_name": name}).one_or_none()
        return None if row is None else _user(row)

    def put(self, user: User) -> None:
        """Add one, or replace the one of that name."""
        self._session.change()
        values = {column.name: getattr(user, column.name) for column in users.columns}
        self._session.connection.execute(_PUT, values)


def _user(row: Row[Any]) -> User:
    values = row._asdict()
    return User(**{**values, "role": None if row.role is None else Role(row.role)})
