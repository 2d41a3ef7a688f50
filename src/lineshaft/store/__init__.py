"""The only place with SQL: one set of statements for SQLite and PostgreSQL."""

from lineshaft.store.opening import open_store
from lineshaft.store.sql_store import SqlStore

__all__ = ["SqlStore", "open_store"]
