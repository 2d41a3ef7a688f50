"""Resources in versions, their definitions, and the drivers that have registered."""

from typing import Final

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Uuid, or_

from lineshaft.model.state import State
from lineshaft.store.columns import Name, UtcDateTime
from lineshaft.store.schema.declaring import NULLABLE_JSON, metadata, partial_index
from lineshaft.store.schema.literals import literal_state

resource_definitions: Final = Table(
    "resource_definitions",
    metadata,
    Column("name", Name, primary_key=True),
    Column("description", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("schema", JSON, nullable=False),
    Column("resync_seconds", Float),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

resources: Final = Table(
    "resources",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("type", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("version", Integer, nullable=False),
    Column("pipeline", Name),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("observed_version", Integer, nullable=False),
    Column("run_id", Uuid),
    Column("run_version", Integer, nullable=False),
    Column("state", String),
    Column("results", NULLABLE_JSON),
    Column("resync_at", UtcDateTime),
)
"""What is wanted, whose content is in `resource_versions`, and how far it has come."""
_THERE = resources.c.deleted_at.is_(None)
Index(
    "ix_resources_by_name",
    resources.c.type,
    resources.c.name,
    unique=True,
    sqlite_where=_THERE,
    postgresql_where=_THERE,
)
partial_index("ix_resources_by_pipeline", resources.c.pipeline, resources.c.id, where=_THERE)
partial_index(
    "ix_resources_by_resync",
    resources.c.resync_at,
    resources.c.id,
    where=resources.c.resync_at.is_not(None),
)

NOT_CARRIED: Final = resources.c.run_version < resources.c.version
"""Whether no run carries the newest version, or has carried it."""
partial_index("ix_resources_not_carried", resources.c.updated_at, resources.c.id, where=NOT_CARRIED)

RUN_GOES_ON: Final = or_(*(resources.c.state == literal_state(state) for state in State if not state.ended))
"""Whether the last run had not ended when it was last heard of."""
partial_index("ix_resources_going_on", resources.c.run_id, where=RUN_GOES_ON)
partial_index(
    "ix_resources_deleted",
    resources.c.deleted_at,
    resources.c.id,
    where=resources.c.deleted_at.is_not(None),
)

resource_versions: Final = Table(
    "resource_versions",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("event", String, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("pipeline", Name),
    Column("at", UtcDateTime, nullable=False),
)

drivers: Final = Table(
    "drivers",
    metadata,
    Column("name", Name, primary_key=True),
    Column("resources", JSON, nullable=False),
    Column("events", JSON, nullable=False),
    Column("description", String, nullable=False),
    Column("timeout_seconds", Float, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("idempotent", Boolean, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
