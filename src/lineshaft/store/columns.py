"""Column types: how values of the model are kept in both databases."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, with microseconds.

    PostgreSQL keeps it as `timestamptz`. SQLite has no type for time and keeps the time in UTC as text of a
    fixed width, `2026-01-01 00:00:00.000000`, which sorts as the times do.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type that the database knows."""
        return dialect.type_descriptor(String(26) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """Bring a time to UTC.

        Raises:
            ValueError: the time is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; the store takes aware times only")
        if dialect.name != "sqlite":
            return value
        in_utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return in_utc.replace(tzinfo=None).isoformat(" ", "microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return a time as aware, in UTC."""
        if value is None:
            return None
        aware: datetime = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        return aware.replace(tzinfo=UTC) if aware.tzinfo is None else aware.astimezone(UTC)


Name = String().with_variant(String(collation="C"), "postgresql")
"""Text that sorts by code point in both databases, as Python sorts it."""
