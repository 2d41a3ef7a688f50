"""Users, what they may and what they show, and the audit log of what they did."""

from typing import Final

from sqlalchemy import Boolean, Column, Index, String, Table, UniqueConstraint, Uuid, true

from lineshaft.store.append_only import append_only
from lineshaft.store.columns import Name, UtcDateTime
from lineshaft.store.schema.declaring import NULLABLE_JSON, metadata, partial_index

users: Final = Table(
    "users",
    metadata,
    Column("name", Name, primary_key=True),
    Column("password_hash", String, nullable=False),
    Column("role", String, server_default="admin"),
    Column("issuer", String),
    Column("subject", String),
    Column("from_settings", Boolean, nullable=False, server_default=true()),
    Column("created_at", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("last_seen_at", UtcDateTime),
)
"""Who may sign in. Servers of earlier versions of Lineshaft know only admins, whom their settings name."""
partial_index(
    "ix_users_by_subject",
    users.c.issuer,
    users.c.subject,
    where=users.c.subject.is_not(None),
)

grants: Final = Table(
    "grants",
    metadata,
    Column("user", Name, primary_key=True),
    Column("pipeline_id", Uuid, primary_key=True),
    Column("role", String, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_grants_by_pipeline", grants.c.pipeline_id)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("hash", String, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("pipelines", NULLABLE_JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("certificate", String),
    UniqueConstraint("user", "name"),
    sqlite_with_rowid=False,
)

browser_sessions: Final = Table(
    "browser_sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user", Name, nullable=False),
    Column("hash", String, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_browser_sessions_by_user", browser_sessions.c.user)
Index("ix_browser_sessions_by_expiry", browser_sessions.c.expires_at)

audit_entries: Final = Table(
    "audit_entries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Name, nullable=False),
    Column("means", String, nullable=False),
    Column("address", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("credential_id", Uuid),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("pipeline_id", Uuid),
    Column("detail", NULLABLE_JSON),
    sqlite_with_rowid=False,
)
"""What was done. Triggers of the database refuse to change or remove a row."""
append_only(audit_entries)
Index("ix_audit_entries_by_actor", audit_entries.c.actor, audit_entries.c.id)
Index("ix_audit_entries_by_pipeline", audit_entries.c.pipeline_id, audit_entries.c.id)
