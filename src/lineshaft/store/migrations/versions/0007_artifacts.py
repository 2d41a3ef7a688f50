"""Files of attempts that are kept: artifacts, results and caches; and runs of changes that are not trusted.

All of it is added beside what is there, so that servers of the version before go on meanwhile. To them every
change is trusted, and they give out no leases that speak of files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")


def upgrade() -> None:
    """Add a column and three tables."""
    op.add_column("runs", sa.Column("untrusted", sa.Boolean(), nullable=False, server_default=sa.false()))
    _artifacts()
    _artifact_parts()
    _caches()


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("type", sa.String(), nullable=True),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("expire_seconds", sa.Float(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content_id", sa.Uuid(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("kept_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_artifacts"),
        sa.UniqueConstraint(
            "run_id", "node", "attempt", "kind", "name", name="uq_artifacts_run_id_node_attempt_kind_name"
        ),
    )
    _partial("ix_artifacts_receiving", ["run_id", "node", "attempt"], "state = 'receiving'")
    _partial("ix_artifacts_leaving", ["id"], "state = 'expiring' OR state = 'removing'")
    _partial("ix_artifacts_by_expiry", ["expires_at"], "state = 'kept'")
    _partial("ix_artifacts_by_digest", ["pipeline_id", "sha256"], "kind = 'cache'")
    op.create_index("ix_artifacts_by_content", "artifacts", ["content_id"])


def _partial(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "artifacts", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _artifact_parts() -> None:
    op.create_table(
        "artifact_parts",
        sa.Column("content_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("stored", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("content_id", "number", name="pk_artifact_parts"),
        sqlite_with_rowid=False,
    )


def _caches() -> None:
    op.create_table(
        "caches",
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("kept_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("pipeline_id", "address", name="pk_caches"),
        sa.UniqueConstraint("artifact_id", name="uq_caches_artifact_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_caches_by_use", "caches", ["used_at"])
