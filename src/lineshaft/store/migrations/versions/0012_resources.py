"""Resources in versions, what runs carry of them, and the drivers that have registered.

All of it is added beside what is there, so that servers of the version before go on meanwhile. To them a run
that carries a resource is one that carries none; the drivers that others have written are kinds of work to
which no worker of theirs comes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")


def upgrade() -> None:
    """Add columns to pipelines, runs and worker keys, and four tables."""
    _pipelines()
    _runs()
    op.add_column("worker_keys", sa.Column("kinds", sa.JSON(), nullable=True))
    _resource_definitions()
    _resources()
    _resource_versions()
    _drivers()


def _pipelines() -> None:
    op.add_column("pipelines", sa.Column("relays", NAME, nullable=True))
    relay = sa.text("deleted_at IS NULL AND relays IS NOT NULL")
    op.create_index(
        "ix_pipelines_by_relay",
        "pipelines",
        ["relays"],
        unique=True,
        sqlite_where=relay,
        postgresql_where=relay,
    )


def _runs() -> None:
    op.add_column("runs", sa.Column("subject", sa.JSON(), nullable=True))
    op.add_column("runs", sa.Column("resource_id", sa.Uuid(), nullable=True))
    carries = sa.text("resource_id IS NOT NULL")
    op.create_index(
        "ix_runs_by_resource",
        "runs",
        ["resource_id", "id"],
        sqlite_where=carries,
        postgresql_where=carries,
    )


def _resource_definitions() -> None:
    op.create_table(
        "resource_definitions",
        sa.Column("name", NAME, nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("schema", sa.JSON(), nullable=False),
        sa.Column("resync_seconds", sa.Float(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_resource_definitions"),
    )


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pipeline", NAME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.Column("observed_version", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("run_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("results", sa.JSON(), nullable=True),
        sa.Column("resync_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_resources"),
    )
    there = sa.text("deleted_at IS NULL")
    op.create_index(
        "ix_resources_by_name",
        "resources",
        ["type", "name"],
        unique=True,
        sqlite_where=there,
        postgresql_where=there,
    )
    op.create_index(
        "ix_resources_by_pipeline",
        "resources",
        ["pipeline", "id"],
        sqlite_where=there,
        postgresql_where=there,
    )
    due = sa.text("resync_at IS NOT NULL")
    op.create_index(
        "ix_resources_by_resync", "resources", ["resync_at", "id"], sqlite_where=due, postgresql_where=due
    )
    behind = sa.text("run_version < version")
    op.create_index(
        "ix_resources_not_carried",
        "resources",
        ["updated_at", "id"],
        sqlite_where=behind,
        postgresql_where=behind,
    )
    going = sa.text("state = 'waiting' OR state = 'queued' OR state = 'running'")
    op.create_index(
        "ix_resources_going_on", "resources", ["run_id"], sqlite_where=going, postgresql_where=going
    )
    deleted = sa.text("deleted_at IS NOT NULL")
    op.create_index(
        "ix_resources_deleted",
        "resources",
        ["deleted_at", "id"],
        sqlite_where=deleted,
        postgresql_where=deleted,
    )


def _resource_versions() -> None:
    op.create_table(
        "resource_versions",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("pipeline", NAME, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "version", name="pk_resource_versions"),
    )


def _drivers() -> None:
    op.create_table(
        "drivers",
        sa.Column("name", NAME, nullable=False),
        sa.Column("resources", sa.JSON(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("timeout_seconds", sa.Float(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("idempotent", sa.Boolean(), nullable=False),
        sa.Column("registered_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_drivers"),
    )
