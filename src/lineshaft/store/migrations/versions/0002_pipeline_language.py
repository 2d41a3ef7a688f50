"""What runs of the pipeline language keep: inputs, sources, parents, outputs, generated nodes, timers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TIME = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")


def upgrade() -> None:
    """Add columns and tables, and turn the flag of a stopping node into why it stops."""
    _runs()
    _nodes()
    op.add_column("attempts", sa.Column("labels", sa.JSON(), nullable=True))
    _outputs()
    _generated()
    _timers()


def _runs() -> None:
    for column in (
        sa.Column("source", sa.JSON(), nullable=True),
        sa.Column("inputs", sa.JSON(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False, server_default="manual"),
        sa.Column("parent_run", sa.Uuid(), nullable=True),
        sa.Column("parent_node", sa.Integer(), nullable=True),
        sa.Column("parent_attempt", sa.Integer(), nullable=True),
        # The runs that are there all belong to their pipeline's one group.
        sa.Column("concurrency_group", sa.String(), nullable=True, server_default=""),
        sa.Column("growths", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("output_count", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("runs", column)
    op.create_index(
        "ix_runs_by_parent",
        "runs",
        ["parent_run", "parent_node", "parent_attempt"],
        unique=False,
        sqlite_where=sa.text("parent_run IS NOT NULL"),
        postgresql_where=sa.text("parent_run IS NOT NULL"),
    )


def _nodes() -> None:
    op.add_column("nodes", sa.Column("losses", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("nodes", sa.Column("stop_state", sa.String(), nullable=True))
    op.add_column("nodes", sa.Column("stop_code", sa.String(), nullable=True))
    op.add_column("nodes", sa.Column("stop_text", sa.String(), nullable=True))
    op.execute(
        """
        UPDATE nodes SET
            stop_state = 'cancelled',
            stop_code = (SELECT cancel_reason_code FROM runs WHERE runs.id = nodes.run_id),
            stop_text = (SELECT cancel_reason_text FROM runs WHERE runs.id = nodes.run_id)
        WHERE stopping
        """
    )
    op.execute("ALTER TABLE nodes DROP COLUMN stopping")


def _outputs() -> None:
    op.create_table(
        "outputs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_outputs_run_id"),
        sa.PrimaryKeyConstraint("run_id", "node", name="pk_outputs"),
        sqlite_with_rowid=False,
    )


def _generated() -> None:
    op.create_table(
        "generated",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_generated_run_id"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_generated"),
    )


def _timers() -> None:
    op.create_table(
        "timers",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_timers_run_id"),
        sa.PrimaryKeyConstraint("run_id", "node", "purpose", name="pk_timers"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_timers_by_due", "timers", ["due_at"], unique=False)
