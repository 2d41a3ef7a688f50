"""Browser sessions in the database."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update

from lineshaft.model.browser_session import BrowserSession
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import browser_sessions
from lineshaft.store.session import Session

_COLUMNS: Final = browser_sessions.c
_IS: Final = _COLUMNS.id == bindparam("of_id")
_SELECT_OF_HASH: Final = Prepared(select(browser_sessions).where(_COLUMNS.hash == bindparam("of_hash")))
_INSERT: Final = insert(browser_sessions)
_SEEN: Final = (
    update(browser_sessions).where(_IS, _COLUMNS.seen_at < bindparam("at")).values(seen_at=bindparam("at"))
)
_DELETE: Final = delete(browser_sessions).where(_IS)
_EXPIRED: Final = (
    select(_COLUMNS.id)
    .where(_COLUMNS.expires_at <= bindparam("at"))
    .order_by(_COLUMNS.expires_at)
    .limit(bindparam("most"))
)
_DELETE_EXPIRED: Final = delete(browser_sessions).where(_COLUMNS.id.in_(_EXPIRED))


class SqlBrowserSessions:
    """The sessions of browsers; see `ports.store.BrowserSessions`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def add(self, session: BrowserSession) -> None:
        """Add one."""
        self._session.change()
        values = {column.name: getattr(session, column.name) for column in browser_sessions.columns}
        self._session.connection.execute(_INSERT, values)

    def of_hash(self, session_hash: str) -> BrowserSession | None:
        """Find one by the SHA-256 of the cookie's value, in hexadecimal."""
        rows = _SELECT_OF_HASH.rows(self._session.connection, {"of_hash": session_hash})
        return BrowserSession(*rows[0]) if rows else None

    def seen(self, session_id: UUID, at: datetime) -> None:
        """Note that it was used; an earlier time than is noted changes nothing."""
        self._session.change()
        self._session.connection.execute(_SEEN, {"of_id": session_id, "at": at})

    def remove(self, session_id: UUID) -> bool:
        """Remove one; False when there is none of that id."""
        self._session.change()
        return self._session.connection.execute(_DELETE, {"of_id": session_id}).rowcount > 0

    def remove_user(self, user: str, *, but: UUID | None = None) -> None:
        """Remove all of a user's."""
        self._session.change()
        statement = delete(browser_sessions).where(_COLUMNS.user == user)
        if but is not None:
            statement = statement.where(_COLUMNS.id != but)
        self._session.connection.execute(statement)

    def remove_expired(self, at: datetime, limit: int) -> int:
        """Remove sessions that have expired by a time, some of them at once, and tell how many they were."""
        self._session.change()
        values = {"at": at, "most": limit}
        return self._session.connection.execute(_DELETE_EXPIRED, values).rowcount
