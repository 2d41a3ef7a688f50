"""The keys that identity tokens are signed with, in the database."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from lineshaft.model.secret import SealedValue
from lineshaft.model.signing_key import SigningKey
from lineshaft.store.schema import signing_keys
from lineshaft.store.session import Session

_SELECT_ALL: Final = select(signing_keys).order_by(signing_keys.c.created_at, signing_keys.c.id)
_INSERT: Final = insert(signing_keys)
_RESEAL: Final = (
    update(signing_keys)
    .where(signing_keys.c.id == bindparam("of_id"), signing_keys.c.key_id == bindparam("of_key"))
    .values(key_id=bindparam("new_key"), data=bindparam("new_data"))
)
_DELETE: Final = delete(signing_keys).where(signing_keys.c.id == bindparam("of_id"))


class SqlSigningKeys:
    """The keys that identity tokens are signed with; see `ports.store.SigningKeys`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def all(self) -> Sequence[SigningKey]:
        """List them, oldest first."""
        return [
            SigningKey(row.id, row.public, SealedValue(row.key_id, bytes(row.data)), row.created_at)
            for row in self._session.connection.execute(_SELECT_ALL)
        ]

    def add(self, key: SigningKey) -> None:
        """Add a new one."""
        self._session.change()
        values = {
            "id": key.id,
            "public": dict(key.public),
            "key_id": key.private.key_id,
            "data": key.private.data,
            "created_at": key.created_at,
        }
        self._session.connection.execute(_INSERT, values)

    def reseal(self, key: SigningKey, private: SealedValue) -> bool:
        """Seal the same private half in another way; False when it is not as it was read."""
        self._session.change()
        values = {
            "of_id": key.id,
            "of_key": key.private.key_id,
            "new_key": private.key_id,
            "new_data": private.data,
        }
        return self._session.connection.execute(_RESEAL, values).rowcount > 0

    def remove(self, key_id: str) -> bool:
        """Remove one; False when there is none of that id."""
        self._session.change()
        return self._session.connection.execute(_DELETE, {"of_id": key_id}).rowcount > 0
