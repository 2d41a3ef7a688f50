"""Pipelines, and their definitions by the hash of their content."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Uuid, and_, false

from lineshaft.store.columns import Name, UtcDateTime
from lineshaft.store.schema.declaring import NULLABLE_JSON, metadata, partial_index

definitions: Final = Table(
    "definitions",
    metadata,
    Column("hash", String, primary_key=True),
    Column("format", String, nullable=False),
    Column("text", String, nullable=False),
)

pipelines: Final = Table(
    "pipelines",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Name, nullable=False),
    Column("definition_hash", ForeignKey(definitions.c.hash), nullable=False),
    Column("run_count", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("repository_key", Name),
    Column("config_file", NULLABLE_JSON),
    Column("managed", Boolean, nullable=False, server_default=false()),
    Column("upkeep", NULLABLE_JSON),
    Column("relays", Name),
    sqlite_with_rowid=False,
)
Index("ix_pipelines_by_definition", pipelines.c.definition_hash)
partial_index(
    "ix_pipelines_by_name",
    pipelines.c.name,
    pipelines.c.id,
    where=pipelines.c.deleted_at.is_(None),
)
partial_index(
    "ix_pipelines_by_repository",
    pipelines.c.repository_key,
    pipelines.c.id,
    where=and_(pipelines.c.deleted_at.is_(None), pipelines.c.repository_key.is_not(None)),
)
_RELAY = and_(pipelines.c.deleted_at.is_(None), pipelines.c.relays.is_not(None))
Index("ix_pipelines_by_relay", pipelines.c.relays, unique=True, sqlite_where=_RELAY, postgresql_where=_RELAY)
