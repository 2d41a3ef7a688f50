"""What attempts tell of their tests: counts, test cases, and how each test ended over time.

All of it is added beside what is there, so that servers of the version before go on meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add three tables."""
    _results()
    _chunks()
    _history()


def _results() -> None:
    op.create_table(
        "test_results",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("result", NAME, nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("run_number", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.Column("commit", sa.String(), nullable=True),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("error", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "node", "attempt", "result", name="pk_test_results"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_test_results_by_pipeline", "test_results", ["pipeline_id", "run_number"])


def _chunks() -> None:
    op.create_table(
        "test_chunks",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("result", NAME, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "node", "attempt", "result", "number", name="pk_test_chunks"),
    )


def _history() -> None:
    op.create_table(
        "test_history",
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("run_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("test", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("result", NAME, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline_id", "run_number", "test", "attempt", name="pk_test_history"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_test_history_failures",
        "test_history",
        ["pipeline_id", "run_number", "test", "attempt", "state"],
        sqlite_where=sa.text("state >= 2"),
        postgresql_where=sa.text("state >= 2"),
    )
