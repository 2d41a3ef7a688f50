"""The drivers that have registered, in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, select, update

from lineshaft.model.known_driver import DriverDeclaration, KnownDriver
from lineshaft.store.schema import drivers
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_replace

_COLUMNS: Final = drivers.c
_IS: Final = _COLUMNS.name == bindparam("of_name")
_DECLARE: Final = insert_or_replace(drivers, keep=("registered_at",))
_SEEN: Final = update(drivers).where(_IS, _COLUMNS.seen_at < bindparam("at")).values(seen_at=bindparam("at"))
_SELECT_ALL: Final = select(drivers).order_by(_COLUMNS.name)
_SELECT: Final = select(drivers).where(_IS)
_DELETE: Final = delete(drivers).where(_IS)


class SqlDrivers:
    """The drivers that have registered; see `ports.store.Drivers`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def declare(self, declarations: Collection[DriverDeclaration], at: datetime) -> None:
        """Keep what drivers say of themselves, and that they were seen."""
        self._session.change()
        rows = [_values(each, at) for each in sorted(declarations, key=lambda each: each.name)]
        if rows:
            self._session.connection.execute(_DECLARE, rows)

    def seen(self, names: Collection[str], at: datetime) -> None:
        """Note that programs of some drivers were heard of then, unless they were later."""
        self._session.change()
        if names:
            self._session.connection.execute(_SEEN, [{"of_name": name, "at": at} for name in sorted(names)])

    def all(self) -> Sequence[KnownDriver]:
        """List all, by name."""
        return [_driver(row) for row in self._session.connection.execute(_SELECT_ALL)]

    def get(self, name: str) -> KnownDriver | None:
        """Find one."""
        row = self._session.connection.execute(_SELECT, {"of_name": name}).one_or_none()
        return None if row is None else _driver(row)

    def forget(self, name: str) -> bool:
        """Remove one; False where there is none."""
        self._session.change()
        return self._session.connection.execute(_DELETE, {"of_name": name}).rowcount == 1


def _values(declaration: DriverDeclaration, at: datetime) -> dict[str, Any]:
    return {
        "name": declaration.name,
        "resources": list(declaration.resources),
        "events": list(declaration.events),
        "description": declaration.description,
        "timeout_seconds": declaration.timeout.total_seconds(),
        "retries": declaration.retries,
        "idempotent": declaration.idempotent,
        "registered_at": at,
        "seen_at": at,
    }


def _driver(row: Row[Any]) -> KnownDriver:
    declaration = DriverDeclaration(
        name=row.name,
        resources=tuple(row.resources),
        events=tuple(row.events),
        description=row.description,
        timeout=timedelta(seconds=row.timeout_seconds),
        retries=row.retries,
        idempotent=row.idempotent,
    )
    return KnownDriver(declaration, row.registered_at, row.seen_at)
