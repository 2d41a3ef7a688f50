"""Tokens in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, or_, select, update

from lineshaft.model.role import Role, Scope
from lineshaft.model.token import Token
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import tokens
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep

_IS: Final = tokens.c.id == bindparam("of_id")
_OF_USER: Final = tokens.c.user == bindparam("of_user")
_SELECT: Final = Prepared(select(tokens).where(_IS))
_SELECT_OF_HASH: Final = Prepared(select(tokens).where(tokens.c.hash == bindparam("of_hash")))
_SELECT_OF_USER: Final = Prepared(select(tokens).where(_OF_USER).order_by(tokens.c.name))
_INSERT: Final = insert_or_keep(tokens, "user", "name")
_USED: Final = (
    update(tokens)
    .where(_IS, or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < bindparam("at")))
    .values(last_used_at=bindparam("at"))
)
_DELETE: Final = delete(tokens).where(_IS)
_DELETE_OF_USER: Final = delete(tokens).where(_OF_USER)
_DELETE_EXPIRED: Final = delete(tokens).where(
    tokens.c.id.in_(
        select(tokens.c.id).where(tokens.c.expires_at <= bindparam("at")).limit(bindparam("most"))
    )
)


class SqlTokens:
    """The tokens of users; see `ports.store.Tokens`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def add(self, token: Token) -> bool:
        """Add one; False when its user has one of its name."""
        self._session.change()
        pipelines = token.scope.pipelines
        values = {
            "id": token.id,
            "user": token.user,
            "name": token.name,
            "hash": token.hash,
            "role": token.scope.role.value,
            "pipelines": None if pipelines is None else sorted(map(str, pipelines)),
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "last_used_at": token.last_used_at,
            "certificate": token.certificate,
        }
        return self._session.connection.execute(_INSERT, values).rowcount > 0

    def of_hash(self, token_hash: str) -> Token | None:
        """Find one by the SHA-256 of the token, in hexadecimal."""
        rows = _SELECT_OF_HASH.rows(self._session.connection, {"of_hash": token_hash})
        return _token(rows[0]) if rows else None

    def get(self, token_id: UUID) -> Token | None:
        """Find one by its id."""
        rows = _SELECT.rows(self._session.connection, {"of_id": token_id})
        return _token(rows[0]) if rows else None

    def of_user(self, user: str) -> Sequence[Token]:
        """List a user's, by name."""
        rows = _SELECT_OF_USER.rows(self._session.connection, {"of_user": user})
        return [_token(row) for row in rows]

    def used(self, token_id: UUID, at: datetime) -> None:
        """Note that it was shown; an earlier time than is noted changes nothing."""
        self._session.change()
        self._session.connection.execute(_USED, {"of_id": token_id, "at": at})

    def remove(self, token_id: UUID) -> bool:
        """Remove one; False when there is none of that id."""
        self._session.change()
        return self._session.connection.execute(_DELETE, {"of_id": token_id}).rowcount > 0

    def remove_user(self, user: str) -> None:
        """Remove all of a user's."""
        self._session.change()
        self._session.connection.execute(_DELETE_OF_USER, {"of_user": user})

    def remove_expired(self, at: datetime, limit: int) -> int:
        """Remove those that have expired by a time, some of them at once, and tell how many they were."""
        self._session.change()
        return self._session.connection.execute(_DELETE_EXPIRED, {"at": at, "most": limit}).rowcount


def _token(row: Sequence[Any]) -> Token:
    token_id, user, name, token_hash, role, pipelines, *rest = row
    only = None if pipelines is None else frozenset(map(UUID, pipelines))
    return Token(token_id, user, name, token_hash, Scope(Role(role), only), *rest)
