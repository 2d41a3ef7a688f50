"""The schedules of pipelines: when each is due next, and what came of it last.

All of it is added beside what is there, so that servers of the version before go on meanwhile. To them a
schedule has no effect. Those that pipelines have already are taken over as if they had been worked out in a
time that is far ahead, so that whoever looks first works them out, and nothing is caught up.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

TIME = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")
SELECT = """
    SELECT p.id AS id, d.text AS text FROM pipelines p JOIN definitions d ON d.hash = p.definition_hash
    WHERE p.deleted_at IS NULL AND d.format = 'native' AND d.text LIKE '%"schedule":%'
"""
INSERT = """
    INSERT INTO schedules (pipeline_id, position, cron, timezone, worked_out_at)
    VALUES (:pipeline_id, :position, :cron, 'UTC', '9000-01-01 00:00:00.000000')
"""


def upgrade() -> None:
    """Add a table, and take over the schedules that pipelines have already."""
    op.create_table(
        "schedules",
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cron", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.Column("worked_out_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=True),
        sa.Column("last_run", sa.Uuid(), nullable=True),
        sa.Column("last_refusal", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("pipeline_id", "position", name="pk_schedules"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_schedules_by_next", "schedules", ["next_at"])
    op.create_index("ix_schedules_by_working_out", "schedules", ["worked_out_at"])
    _take_over()


def _take_over() -> None:
    connection = op.get_bind()
    for pipeline_id, text in connection.execute(sa.text(SELECT)).all():
        for row in _rows(pipeline_id, text):
            connection.execute(sa.text(INSERT), row)


def _rows(pipeline_id: Any, text: str) -> Iterator[dict[str, Any]]:
    said = json.loads(text).get("on")
    for position, cron in enumerate(said.get("schedule", ()) if isinstance(said, dict) else ()):
        yield {"pipeline_id": pipeline_id, "position": position, "cron": cron}
