"""Users in the database."""

from typing import Final

from sqlalchemy import bindparam, select

from lineshaft.model.user import User
from lineshaft.store.schema import users
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_replace

_SELECT: Final = select(users.c.name, users.c.password_hash).where(users.c.name == bindparam("of_name"))
_PUT: Final = insert_or_replace(users)


class SqlUsers:
    """Who may call the API; see `ports.store.Users`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def get(self, name: str) -> User | None:
        """Find one by name."""
        row = self._session.connection.execute(_SELECT, {"of_name": name}).one_or_none()
        return None if row is None else User(row.name, row.password_hash)

    def put(self, user: User) -> None:
        """Add one, or replace the one of that name."""
        self._session.change()
        self._session.connection.execute(_PUT, {"name": user.name, "password_hash": user.password_hash})
