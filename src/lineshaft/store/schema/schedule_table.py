"""The schedules of pipelines: when each is due next, and what came of it last."""

from typing import Final

from sqlalchemy import Column, Index, Integer, String, Table, Uuid

from lineshaft.store.columns import UtcDateTime
from lineshaft.store.schema.declaring import metadata

schedules: Final = Table(
    "schedules",
    metadata,
    Column("pipeline_id", Uuid, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("cron", String, nullable=False),
    Column("timezone", String, nullable=False),
    Column("next_at", UtcDateTime),
    Column("worked_out_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime),
    Column("last_run", Uuid),
    Column("last_refusal", String),
    Column("owed_at", UtcDateTime),
    sqlite_with_rowid=False,
)
Index("ix_schedules_by_next", schedules.c.next_at)
Index("ix_schedules_by_working_out", schedules.c.worked_out_at)
