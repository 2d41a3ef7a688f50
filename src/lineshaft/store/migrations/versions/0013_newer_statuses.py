"""Of the statuses of one commit in one place, the newest run's counts.

Servers of the version before go on meanwhile, and go by the order in which they tell.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add a column and an index."""
    op.add_column("commit_statuses", sa.Column("superseded_by", sa.Uuid(), nullable=True))
    op.create_index("ix_commit_statuses_by_place", "commit_statuses", ["commit", "context"])
