"""What a server needs that has a run in memory, and reads only what others have changed of it since.

All of it is added beside what is there, so that servers of the version before go on meanwhile. They do not
say when they write a node; `runs.written_at` and `runs.written_from` tell where they have written.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add three columns."""
    op.add_column("nodes", sa.Column("written_at", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("written_at", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("written_from", sa.Integer(), nullable=True))
