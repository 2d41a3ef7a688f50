"""What a fleet needs: queues with turns, what tasks ask for, what workers offer, and their keys.

All of it is added beside what is there, so that servers of the version before go on meanwhile. What they
queue has no queue, and is given one by `Attempts.bring_back`.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")


def upgrade() -> None:
    """Add columns, indexes and the table of worker keys."""
    op.add_column("runs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    _attempts()
    _workers()
    _worker_keys()


def _attempts() -> None:
    for column in (
        sa.Column("queue", NAME, nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("turn", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("millicpus", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("aside_until", TIME, nullable=True),
    ):
        op.add_column("attempts", column)
    claims: Sequence[str | sa.TextClause] = [
        "queue",
        sa.text("priority DESC"),
        "turn",
        "queued_at",
        "run_id",
        "node",
    ]
    _index("ix_attempts_claims", claims, "state = 'queued'")
    _index("ix_attempts_turns_queued", ["pipeline_id", "queue", "priority", "turn"], "state = 'queued'")
    _index("ix_attempts_turns_running", ["queue", "priority", "turn"], "state = 'running'")
    _index("ix_attempts_aside", ["aside_until"], "state = 'queued' AND queue IS NULL")


def _index(name: str, columns: Sequence[str | sa.TextClause], where: str) -> None:
    op.create_index(
        name,
        "attempts",
        columns,
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _workers() -> None:
    for column in (
        sa.Column("labels", sa.JSON(), nullable=True),
        sa.Column("cpus", sa.Float(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("draining_id", sa.Uuid(), nullable=True),
        sa.Column("load", sa.Float(), nullable=True),
        sa.Column("version", sa.String(), nullable=False, server_default=""),
    ):
        op.add_column("workers", column)


def _worker_keys() -> None:
    op.create_table(
        "worker_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("worker", NAME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_worker_keys"),
        sa.UniqueConstraint("name", name="uq_worker_keys_name"),
        sa.UniqueConstraint("hash", name="uq_worker_keys_hash"),
        sqlite_with_rowid=False,
    )
