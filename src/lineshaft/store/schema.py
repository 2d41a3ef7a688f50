"""The tables.

A change here needs a migration beside it, in `migrations/versions`; a test holds the two together.

Tables whose rows are small and found by their key are kept in the key's order (`WITHOUT ROWID`) on SQLite, so
that a row costs one page and not two. Conditions of partial indexes are spelt as literals, here and in the
statements that are to use them: neither database matches a bound parameter with such a condition.
"""

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
    false,
    literal_column,
    true,
)
from sqlalchemy.sql.elements import ColumnElement

from lineshaft.model.state import State
from lineshaft.store.append_only import append_only
from lineshaft.store.columns import Name, UtcDateTime

REVISION: Final = "0006"
"""The newest migration, whose outcome these tables are."""

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def literal_state(state: State) -> ColumnElement[str]:
    """Spell a state as a literal, for the conditions of partial indexes."""
    return literal_column(f"'{state.value}'", String())


ONE: Final = literal_column("1", Integer())
"""For LIMIT: where that is a parameter, PostgreSQL plans for a tenth of all rows."""

_JSON: Final = JSON(none_as_null=True)


def _reason(prefix: str = "reason") -> tuple[Column[Any], Column[Any]]:
    return Column(f"{prefix}_code", String), Column(f"{prefix}_text", String)


def _partial_index(name: str, *columns: ColumnElement[Any], where: ColumnElement[bool]) -> None:
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


alembic_version: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table, which is no part of ours: the revision that the database is at."""

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
    sqlite_with_rowid=False,
)
Index("ix_pipelines_by_definition", pipelines.c.definition_hash)
_partial_index(
    "ix_pipelines_by_name",
    pipelines.c.name,
    pipelines.c.id,
    where=pipelines.c.deleted_at.is_(None),
)

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
    *_reason(),
    *_reason("cancel_reason"),
    Column("retry_of", Uuid),
    Column("source", _JSON),
    Column("inputs", _JSON),
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
    Column("written_at", Integer),
    Column("written_from", Integer),
    UniqueConstraint("pipeline_id", "number"),
    sqlite_with_rowid=False,
)
"""A run. Who has it in memory, at `written_from` or a later version, may read only what was written
since of its nodes. Servers of earlier versions of Lineshaft do not say so, and leave `written_at` behind
`version`.
"""
_partial_index(
    "ix_runs_unended",
    runs.c.pipeline_id,
    runs.c.number,
    where=runs.c.ended_at.is_(None),
)
_partial_index(
    "ix_runs_by_parent",
    runs.c.parent_run,
    runs.c.parent_node,
    runs.c.parent_attempt,
    where=runs.c.parent_run.is_not(None),
)
Index("ix_runs_by_definition", runs.c.definition_hash)
_partial_index(
    "ix_runs_by_end",
    runs.c.ended_at,
    runs.c.id,
    where=runs.c.ended_at.is_not(None),
)
_WITH_LOGS: Final = and_(runs.c.ended_at.is_not(None), runs.c.logs_removed_at.is_(None))
_partial_index(
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
    *_reason(),
    Column("attempt", Integer, nullable=False),
    Column("exit_code", Integer),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("losses", Integer, nullable=False, server_default="0"),
    Column("stop_state", String),
    *_reason("stop"),
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
    *_reason(),
    Column("attempt", Integer, nullable=False),
    Column("exit_code", Integer),
    sqlite_with_rowid=False,
)

attempts: Final = Table(
    "attempts",
    metadata,
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("worker_id", Uuid),
    Column("token", String),
    Column("lease_expires_at", UtcDateTime),
    Column("stopping", Boolean, nullable=False),
    Column("log_size", BigInteger, nullable=False),
    Column("log_blob", String),
    Column("labels", _JSON),
    Column("queue", Name),
    Column("pipeline_id", Uuid),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("turn", BigInteger, nullable=False, server_default="0"),
    Column("millicpus", Integer, nullable=False, server_default="0"),
    Column("memory_bytes", BigInteger, nullable=False, server_default="0"),
    Column("aside_until", UtcDateTime),
    Column("log_removed", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)
"""Tries of tasks. A queued one without a `queue` is set aside, or was written by a server of the version
before, which knows neither the column nor those behind it."""

_QUEUED: Final = attempts.c.state == literal_state(State.QUEUED)
_LEASED: Final = attempts.c.state == literal_state(State.RUNNING)
# Servers of the version before claim by this one.
_partial_index(
    "ix_attempts_queue",
    attempts.c.kind,
    attempts.c.queued_at,
    attempts.c.run_id,
    attempts.c.node,
    where=_QUEUED,
)
_partial_index(
    "ix_attempts_claims",
    attempts.c.queue,
    attempts.c.priority.desc(),
    attempts.c.turn,
    attempts.c.queued_at,
    attempts.c.run_id,
    attempts.c.node,
    where=_QUEUED,
)
_partial_index(
    "ix_attempts_turns_queued",
    # The queue comes second, so that no planner takes this index where only the queue is known.
    attempts.c.pipeline_id,
    attempts.c.queue,
    attempts.c.priority,
    attempts.c.turn,
    where=_QUEUED,
)
_partial_index(
    "ix_attempts_turns_running",
    attempts.c.queue,
    attempts.c.priority,
    attempts.c.turn,
    where=_LEASED,
)
_ASIDE: Final = and_(_QUEUED, attempts.c.queue.is_(None))
_partial_index(
    "ix_attempts_aside",
    attempts.c.aside_until,
    where=_ASIDE,
)
_partial_index(
    "ix_attempts_leases",
    attempts.c.worker_id,
    attempts.c.lease_expires_at,
    where=_LEASED,
)

log_chunks: Final = Table(
    "log_chunks",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
"""The log of an attempt until it is sealed. Chunks are large, so they keep SQLite's row ids."""

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
Index("ix_outbox_by_due", outbox.c.due_at, outbox.c.id)

workers: Final = Table(
    "workers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("kinds", JSON, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("labels", _JSON),
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
    sqlite_with_rowid=False,
)

users: Final = Table(
    "users",
    metadata,
    Column("name", Name, primary_key=True),
    Column("password_hash", String, nullable=False),
    Column("role", String, server_default="admin"),
    Column("issuer", String),
    Column("subject", String),
    Column("from_settings", Boolean, nullable=False, server_default=true()),
    Column("created_at", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("last_seen_at", UtcDateTime),
)
"""Who may sign in. Servers of earlier versions of Lineshaft know only admins, whom their settings name."""
_partial_index(
    "ix_users_by_subject",
    users.c.issuer,
    users.c.subject,
    where=users.c.subject.is_not(None),
)

grants: Final = Table(
    "grants",
    metadata,
    Column("user", Name, primary_key=True),
    Column("pipeline_id", Uuid, primary_key=True),
    Column("role", String, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_grants_by_pipeline", grants.c.pipeline_id)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("hash", String, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("pipelines", _JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("certificate", String),
    UniqueConstraint("user", "name"),
    sqlite_with_rowid=False,
)

browser_sessions: Final = Table(
    "browser_sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user", Name, nullable=False),
    Column("hash", String, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_browser_sessions_by_user", browser_sessions.c.user)
Index("ix_browser_sessions_by_expiry", browser_sessions.c.expires_at)

secrets: Final = Table(
    "secrets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Name, nullable=False),
    Column("pipeline_id", Uuid, nullable=False),
    Column("environment", Name, nullable=False),
    Column("key_id", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", String, nullable=False),
    UniqueConstraint("pipeline_id", "environment", "name"),
    sqlite_with_rowid=False,
)
"""Sealed values. The nil UUID stands for all pipelines and the empty name for all environments: a NULL would
be unequal to itself in the constraint.
"""

audit_entries: Final = Table(
    "audit_entries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Name, nullable=False),
    Column("means", String, nullable=False),
    Column("address", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("credential_id", Uuid),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("pipeline_id", Uuid),
    Column("detail", _JSON),
    sqlite_with_rowid=False,
)
"""What was done. Triggers of the database refuse to change or remove a row."""
append_only(audit_entries)
Index("ix_audit_entries_by_actor", audit_entries.c.actor, audit_entries.c.id)
Index("ix_audit_entries_by_pipeline", audit_entries.c.pipeline_id, audit_entries.c.id)

signing_keys: Final = Table(
    "signing_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("public", _JSON, nullable=False),
    Column("key_id", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
"""What identity tokens are signed with: the public half as a JWK, the private one sealed."""
