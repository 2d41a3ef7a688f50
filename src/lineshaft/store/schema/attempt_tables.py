"""Attempts, which are the queue and the leases as well, and the logs that they write."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    and_,
    false,
)

from lineshaft.model.state import State
from lineshaft.store.columns import Name, UtcDateTime
from lineshaft.store.schema.declaring import NULLABLE_JSON, metadata, partial_index
from lineshaft.store.schema.literals import literal_state
from lineshaft.store.schema.run_tables import runs

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
    Column("labels", NULLABLE_JSON),
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
partial_index(
    "ix_attempts_queue",
    attempts.c.kind,
    attempts.c.queued_at,
    attempts.c.run_id,
    attempts.c.node,
    where=_QUEUED,
)
partial_index(
    "ix_attempts_claims",
    attempts.c.queue,
    attempts.c.priority.desc(),
    attempts.c.turn,
    attempts.c.queued_at,
    attempts.c.run_id,
    attempts.c.node,
    where=_QUEUED,
)
partial_index(
    "ix_attempts_turns_queued",
    # The queue comes second, so that no planner takes this index where only the queue is known.
    attempts.c.pipeline_id,
    attempts.c.queue,
    attempts.c.priority,
    attempts.c.turn,
    where=_QUEUED,
)
partial_index(
    "ix_attempts_turns_running",
    attempts.c.queue,
    attempts.c.priority,
    attempts.c.turn,
    where=_LEASED,
)
_ASIDE: Final = and_(_QUEUED, attempts.c.queue.is_(None))
partial_index(
    "ix_attempts_aside",
    attempts.c.aside_until,
    where=_ASIDE,
)
partial_index(
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
