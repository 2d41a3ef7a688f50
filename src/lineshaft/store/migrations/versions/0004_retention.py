"""What removing old things needs: to find them by their age, and to know what has been removed.

All of it is added beside what is there, so that servers of the version before go on meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")


def upgrade() -> None:
    """Add two columns and four indexes."""
    op.add_column("runs", sa.Column("logs_removed_at", TIME, nullable=True))
    op.add_column(
        "attempts", sa.Column("log_removed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index("ix_pipelines_by_definition", "pipelines", ["definition_hash"], unique=False)
    op.create_index("ix_runs_by_definition", "runs", ["definition_hash"], unique=False)
    _by_end("ix_runs_by_end", "ended_at IS NOT NULL")
    _by_end("ix_runs_with_logs", "ended_at IS NOT NULL AND logs_removed_at IS NULL")


def _by_end(name: str, where: str) -> None:
    op.create_index(
        name,
        "runs",
        ["ended_at", "id"],
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
