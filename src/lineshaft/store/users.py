"""Users in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, or_, select, true, update

from lineshaft.model.role import Role
from lineshaft.model.user import User
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import users
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep, insert_or_replace

_COLUMNS: Final = users.c
_IS: Final = _COLUMNS.name == bindparam("of_name")
_SELECT: Final = Prepared(select(users).where(_IS))
_HOLD: Final = Prepared(select(users).where(_IS).with_for_update())
_OF_SUBJECT: Final = Prepared(
    select(users)
    .where(_COLUMNS.issuer == bindparam("of_issuer"), _COLUMNS.subject == bindparam("of_subject"))
    .order_by(_COLUMNS.created_at, _COLUMNS.name)
)
_FROM_SETTINGS: Final = select(users).where(_COLUMNS.from_settings == true()).order_by(_COLUMNS.name)
_ADMINS: Final = (
    select(_COLUMNS.name)
    .where(
        _COLUMNS.role == Role.ADMIN.value,
        _COLUMNS.disabled_at.is_(None),
        or_(_COLUMNS.password_hash != "", _COLUMNS.subject.is_not(None)),
    )
    .order_by(_COLUMNS.name)
)
_ADMINS_LOCKED: Final = _ADMINS.with_for_update()
_ADD: Final = insert_or_keep(users, "name")
_PUT: Final = insert_or_replace(users)
_SEEN: Final = (
    update(users)
    .where(_IS, or_(_COLUMNS.last_seen_at.is_(None), _COLUMNS.last_seen_at < bindparam("at")))
    .values(last_seen_at=bindparam("at"))
)
_DELETE: Final = delete(users).where(_IS)


class SqlUsers:
    """Who may call the API; see `ports.store.Users`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def get(self, name: str) -> User | None:
        """Find one by name."""
        rows = _SELECT.rows(self._session.connection, {"of_name": name})
        return _user(rows[0]) if rows else None

    def hold(self, name: str) -> User | None:
        """Find one by name, and keep other processes from changing it until the commit."""
        rows = _HOLD.rows(self._session.connection, {"of_name": name})
        return _user(rows[0]) if rows else None

    def of_subject(self, issuer: str, subject: str) -> User | None:
        """Find the one whom an OpenID Connect provider calls so; the oldest, should there be several."""
        values = {"of_issuer": issuer, "of_subject": subject}
        rows = _OF_SUBJECT.rows(self._session.connection, values)
        return _user(rows[0]) if rows else None

    def from_settings(self) -> Sequence[User]:
        """List those whom the server's settings named when it was last started, by name."""
        return [_user(row) for row in self._session.connection.execute(_FROM_SETTINGS)]

    def page(self, *, after: str | None, limit: int) -> Sequence[User]:
        """List them by name."""
        statement = select(users).order_by(_COLUMNS.name).limit(limit)
        if after is not None:
            statement = statement.where(_COLUMNS.name > after)
        return [_user(row) for row in self._session.connection.execute(statement)]

    def admins(self) -> int:
        """Count the admins who may sign in: with a password or elsewhere, and not disabled."""
        statement = _ADMINS_LOCKED if self._session.writable else _ADMINS
        return len(self._session.connection.execute(statement).all())

    def add(self, user: User) -> bool:
        """Add one; False when there is one of that name."""
        self._session.change()
        return self._session.connection.execute(_ADD, _values(user)).rowcount > 0

    def put(self, user: User) -> None:
        """Add one, or replace the one of that name."""
        self._session.change()
        self._session.connection.execute(_PUT, _values(user))

    def seen(self, name: str, at: datetime) -> None:
        """Note that they called; an earlier time than is noted changes nothing."""
        self._session.change()
        self._session.connection.execute(_SEEN, {"of_name": name, "at": at})

    def remove(self, name: str) -> bool:
        """Remove one; False when there is none of that name. What else is theirs is removed where it is."""
        self._session.change()
        return self._session.connection.execute(_DELETE, {"of_name": name}).rowcount > 0


def _values(user: User) -> dict[str, Any]:
    return {column.name: getattr(user, column.name) for column in users.columns}


def _user(row: Sequence[Any]) -> User:
    name, password_hash, role, *rest = row
    return User(name, password_hash, None if role is None else Role(role), *rest)
