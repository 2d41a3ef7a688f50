"""Workers' sessions, and the keys by which workers prove themselves."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Column, Float, Integer, String, Table, Uuid

from lineshaft.store.columns import Name, UtcDateTime
from lineshaft.store.schema.declaring import NULLABLE_JSON, metadata

workers: Final = Table(
    "workers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("kinds", JSON, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("labels", NULLABLE_JSON),
    Column("cpus", Float),
    Column("memory_bytes", BigInteger),
    Column("key_id", Uuid),
    Column("draining_id", Uuid),
    Column("load", Float),
    Column("version", String, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)
"""Sessions of workers. A session drains while `draining_id` is its own id: one that a server of the version
before puts in its place does not."""

worker_keys: Final = Table(
    "worker_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("hash", String, nullable=False, unique=True),
    Column("worker", Name),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("certificate", String),
    Column("kinds", NULLABLE_JSON),
    sqlite_with_rowid=False,
)
