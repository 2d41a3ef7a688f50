"""Sealed values: secrets, and the keys that sign identity tokens."""

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, String, Table, UniqueConstraint, Uuid

from lineshaft.store.columns import Name, UtcDateTime
from lineshaft.store.schema.declaring import NULLABLE_JSON, metadata

secrets: Final = Table(
    "secrets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Name, nullable=False),
    Column("pipeline_id", Uuid, nullable=False),
    Column("environment", Name, nullable=False),
    Column("key_id", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", String, nullable=False),
    UniqueConstraint("pipeline_id", "environment", "name"),
    sqlite_with_rowid=False,
)
"""Sealed values. The nil UUID stands for all pipelines, the greatest one for the server alone, and the empty
name for all environments: a NULL would be unequal to itself in the constraint.
"""

signing_keys: Final = Table(
    "signing_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("public", NULLABLE_JSON, nullable=False),
    Column("key_id", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
"""What identity tokens are signed with: the public half as a JWK, the private one sealed."""
