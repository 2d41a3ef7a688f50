"""Which migration a database is at, and which one the tables are the outcome of."""

from typing import Final

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table

REVISION: Final = "0013"
"""The newest migration, whose outcome these tables are."""

alembic_version: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table, which is no part of ours: the revision that the database is at."""
