"""Runs: their nodes, what those gave and made, their timers and their events."""

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
    false,
)

from lineshaft.store.columns import UtcDateTime
from lineshaft.store.schema.declaring import NULLABLE_JSON, metadata, partial_index, reason_columns
from lineshaft.store.schema.pipeline_tables import definitions, pipelines

runs: Final = Table(
    "runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("pipeline_id", ForeignKey(pipelines.c.id), nullable=False),
    Column("number", Integer, nullable=False),
    Column("definition_hash", ForeignKey(definitions.c.hash), nullable=False),
    Column("repository", String),
    Column("commit", String),
    Column("state", String, nullable=False),
    *reason_columns(),
    *reason_columns("cancel_reason"),
    Column("retry_of", Uuid),
    Column("source", NULLABLE_JSON),
    Column("inputs", NULLABLE_JSON),
    Column("cause", String, nullable=False, server_default="manual"),
    Column("parent_run", Uuid),
    Column("parent_node", Integer),
    Column("parent_attempt", Integer),
    Column("concurrency_group", String, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("growths", Integer, nullable=False, server_default="0"),
    Column("output_count", Integer, nullable=False, server_default="0"),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("logs_removed_at", UtcDateTime),
    Column("untrusted", Boolean, nullable=False, server_default=false()),
    Column("origin", NULLABLE_JSON),
    Column("held", Boolean, nullable=False, server_default=false()),
    Column("approved_by", String, nullable=False, server_default=""),
    Column("subject", NULLABLE_JSON),
    Column("resource_id", Uuid),
    Column("written_at", Integer),
    Column("written_from", Integer),
    UniqueConstraint("pipeline_id", "number"),
    sqlite_with_rowid=False,
)
"""A run. Who has it in memory, at `written_from` or a later version, may read only what was written
since of its nodes. Servers of earlier versions of Lineshaft do not say so, and leave `written_at` behind
`version`.
"""
partial_index(
    "ix_runs_unended",
    runs.c.pipeline_id,
    runs.c.number,
    where=runs.c.ended_at.is_(None),
)
partial_index(
    "ix_runs_by_parent",
    runs.c.parent_run,
    runs.c.parent_node,
    runs.c.parent_attempt,
    where=runs.c.parent_run.is_not(None),
)
Index("ix_runs_by_definition", runs.c.definition_hash)
partial_index(
    "ix_runs_by_resource",
    runs.c.resource_id,
    runs.c.id,
    where=runs.c.resource_id.is_not(None),
)
partial_index(
    "ix_runs_by_end",
    runs.c.ended_at,
    runs.c.id,
    where=runs.c.ended_at.is_not(None),
)
_WITH_LOGS: Final = and_(runs.c.ended_at.is_not(None), runs.c.logs_removed_at.is_(None))
partial_index(
    "ix_runs_with_logs",
    runs.c.ended_at,
    runs.c.id,
    where=_WITH_LOGS,
)

nodes: Final = Table(
    "nodes",
    metadata,
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),
    *reason_columns(),
    Column("attempt", Integer, nullable=False),
    Column("exit_code", Integer),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("losses", Integer, nullable=False, server_default="0"),
    Column("stop_state", String),
    *reason_columns("stop"),
    Column("written_at", Integer),
    sqlite_with_rowid=False,
)
"""Nodes below the root that have ever changed; one without a row waits.

The root's state is its run's; it has a row of its own once it is being stopped, of which the stop counts.
`written_at` is the run's version that wrote the row; None where a server of an earlier version did.
"""

outputs: Final = Table(
    "outputs",
    metadata,
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("given", JSON, nullable=False),
    sqlite_with_rowid=False,
)

generated: Final = Table(
    "generated",
    metadata,
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("node", Integer, nullable=False),
    Column("text", String, nullable=False),
)
"""Nodes that tasks have made, as texts. They may be large, so they keep SQLite's row ids."""

timers: Final = Table(
    "timers",
    metadata,
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_timers_by_due", timers.c.due_at)

events: Final = Table(
    "events",
    metadata,
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("node", Integer, nullable=False),
    Column("state", String, nullable=False),
    *reason_columns(),
    Column("attempt", Integer, nullable=False),
    Column("exit_code", Integer),
    sqlite_with_rowid=False,
)
