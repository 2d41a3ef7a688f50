"""The outbox: what is to be done behind a commit."""

from typing import Final

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Uuid

from lineshaft.store.columns import UtcDateTime
from lineshaft.store.schema.declaring import metadata

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_outbox_by_kind", outbox.c.kind, outbox.c.due_at, outbox.c.id)
