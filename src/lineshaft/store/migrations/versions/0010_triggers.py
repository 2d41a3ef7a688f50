"""What starts pipelines from outside, and what forges are told of it.

All of it is added beside what is there, so that servers of the version before go on meanwhile. To them a
pipeline whose definition is kept in a repository is one that does what that said when it was last read, and a
run that waits for approval is one that nobody begins.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")


def upgrade() -> None:
    """Add columns to pipelines, schedules and runs, and six tables."""
    _pipelines()
    _schedules()
    _runs()
    _connections()
    _deliveries()
    _polls()
    _upstreams()
    _commit_statuses()


def _pipelines() -> None:
    op.add_column("pipelines", sa.Column("repository_key", NAME, nullable=True))
    op.add_column("pipelines", sa.Column("config_file", sa.JSON(), nullable=True))
    op.add_column("pipelines", sa.Column("managed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("pipelines", sa.Column("upkeep", sa.JSON(), nullable=True))
    present = sa.text("deleted_at IS NULL AND repository_key IS NOT NULL")
    op.create_index(
        "ix_pipelines_by_repository",
        "pipelines",
        ["repository_key", "id"],
        sqlite_where=present,
        postgresql_where=present,
    )


def _schedules() -> None:
    op.add_column("schedules", sa.Column("owed_at", TIME, nullable=True))


def _runs() -> None:
    op.add_column("runs", sa.Column("origin", sa.JSON(), nullable=True))
    op.add_column("runs", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("runs", sa.Column("approved_by", sa.String(), nullable=False, server_default=""))


def _connections() -> None:
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("api_url", sa.String(), nullable=False),
        sa.Column("webhook_secret", sa.String(), nullable=True),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("statuses", sa.Boolean(), nullable=False),
        sa.Column("trusts_forks", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
        sa.UniqueConstraint("name", name="uq_connections_name"),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", NAME, nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("handled_at", TIME, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("redelivers", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "source", "connection", "remote_id", name="uq_deliveries_source_connection_remote_id"
        ),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_deliveries_by_due", "deliveries", ["due_at", "id"], sqlite_where=due, postgresql_where=due
    )
    op.create_index("ix_deliveries_by_time", "deliveries", ["received_at", "id"])
    op.create_table(
        "delivery_outcomes",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline", NAME, nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "position", name="pk_delivery_outcomes"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_delivery_outcomes_by_pipeline", "delivery_outcomes", ["pipeline_id", "delivery_id"])


def _polls() -> None:
    op.create_table(
        "polls",
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("seen", sa.JSON(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", TIME, nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("pipeline_id", name="pk_polls"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_polls_by_next", "polls", ["next_at"])


def _upstreams() -> None:
    op.create_table(
        "upstreams",
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("upstream", NAME, nullable=False),
        sa.PrimaryKeyConstraint("pipeline_id", "position", name="pk_upstreams"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_upstreams_by_name", "upstreams", ["upstream", "pipeline_id"])


def _commit_statuses() -> None:
    op.create_table(
        "commit_statuses",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("connection", NAME, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("commit", sa.String(), nullable=False),
        sa.Column("context", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_version", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("taken_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("run_id", "node", name="pk_commit_statuses"),
        sqlite_with_rowid=False,
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_commit_statuses_by_due", "commit_statuses", ["due_at"], sqlite_where=due, postgresql_where=due
    )
