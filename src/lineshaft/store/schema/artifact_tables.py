"""Files of attempts that are kept, their parts, and which of them are caches."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    literal_column,
    or_,
)

from lineshaft.store.columns import Name, UtcDateTime
from lineshaft.store.schema.declaring import metadata, partial_index

artifacts: Final = Table(
    "artifacts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("node", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("pipeline_id", Uuid, nullable=False),
    Column("path", String, nullable=False),
    Column("name", Name, nullable=False),
    Column("type", String),
    Column("format", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("expire_seconds", Float),
    Column("state", String, nullable=False),
    Column("content_id", Uuid, nullable=False),
    Column("received_bytes", BigInteger, nullable=False),
    Column("sha256", String),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("kept_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    UniqueConstraint("run_id", "node", "attempt", "kind", "name"),
)
"""Files that are received or kept. They outlive their run where they are a cache.

`content_id` names the parts that hold the bytes: caches of the same `sha256` share them. Rows hold names and
paths, so they keep SQLite's row ids.
"""

RECEIVING: Final = literal_column("'receiving'", String())
"""The state of files of which parts are still to come. States are spelt as literals, for partial indexes."""

KEPT: Final = literal_column("'kept'", String())
"""The state of files that are all there."""

EXPIRING: Final = literal_column("'expiring'", String())
"""The state of files whose time is over, while their parts are removed."""

EXPIRED: Final = literal_column("'expired'", String())
"""The state of files whose time is over, and whose parts are gone."""

REMOVING: Final = literal_column("'removing'", String())
"""The state of files that nobody may see any more, while they are removed."""

partial_index(
    "ix_artifacts_receiving",
    artifacts.c.run_id,
    artifacts.c.node,
    artifacts.c.attempt,
    where=artifacts.c.state == RECEIVING,
)
LEAVING: Final = or_(artifacts.c.state == EXPIRING, artifacts.c.state == REMOVING)
"""Holds for files whose parts are to be removed."""

partial_index("ix_artifacts_leaving", artifacts.c.id, where=LEAVING)
partial_index("ix_artifacts_by_expiry", artifacts.c.expires_at, where=artifacts.c.state == KEPT)
IS_CACHE: Final = artifacts.c.kind == literal_column("'cache'", String())
"""Holds for caches."""

partial_index("ix_artifacts_by_digest", artifacts.c.pipeline_id, artifacts.c.sha256, where=IS_CACHE)
Index("ix_artifacts_by_content", artifacts.c.content_id)

artifact_parts: Final = Table(
    "artifact_parts",
    metadata,
    Column("content_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", String, nullable=False),
    Column("stored", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""Parts of files, a blob each. One that is not `stored` is on its way: its blob may be there or not.

`sha256` is that of all bytes from the first up to the part's last.
"""

caches: Final = Table(
    "caches",
    metadata,
    Column("pipeline_id", Uuid, primary_key=True),
    Column("address", String, primary_key=True),
    Column("scope", String, nullable=False),
    Column("key", Name, nullable=False),
    Column("artifact_id", Uuid, nullable=False, unique=True),
    Column("kept_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
"""Caches of pipelines. `address` is a digest of scope and key, which may be too long for an index."""
Index("ix_caches_by_use", caches.c.used_at)
