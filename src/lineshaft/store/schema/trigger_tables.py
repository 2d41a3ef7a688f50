"""What starts pipelines from outside: connections, deliveries, polls, upstreams; and what forges are told."""

from typing import Final

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, UniqueConstraint, Uuid

from lineshaft.store.columns import Name, UtcDateTime
from lineshaft.store.schema.declaring import NULLABLE_JSON, metadata, partial_index

connections: Final = Table(
    "connections",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("url", String, nullable=False),
    Column("api_url", String, nullable=False),
    Column("webhook_secret", String),
    Column("token", String),
    Column("username", String, nullable=False),
    Column("statuses", Boolean, nullable=False),
    Column("trusts_forks", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source", String, nullable=False),
    Column("connection", Name, nullable=False),
    Column("remote_id", String, nullable=False),
    Column("event", String, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("changes", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("text", String, nullable=False),
    Column("handled_at", UtcDateTime),
    Column("tries", Integer, nullable=False),
    Column("redelivers", Uuid),
    Column("pipeline_id", Uuid),
    Column("due_at", UtcDateTime),
    UniqueConstraint("source", "connection", "remote_id"),
)
"""What came in. `due_at` is when it is to be seen to next; None where that is done."""
partial_index(
    "ix_deliveries_by_due",
    deliveries.c.due_at,
    deliveries.c.id,
    where=deliveries.c.due_at.is_not(None),
)
Index("ix_deliveries_by_time", deliveries.c.received_at, deliveries.c.id)

delivery_outcomes: Final = Table(
    "delivery_outcomes",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("pipeline_id", Uuid),
    Column("pipeline", Name, nullable=False),
    Column("run_id", Uuid),
    Column("text", String, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_delivery_outcomes_by_pipeline", delivery_outcomes.c.pipeline_id, delivery_outcomes.c.delivery_id)

polls: Final = Table(
    "polls",
    metadata,
    Column("pipeline_id", Uuid, primary_key=True),
    Column("next_at", UtcDateTime, nullable=False),
    Column("seen", NULLABLE_JSON),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime),
    Column("last_error", String),
    sqlite_with_rowid=False,
)
"""The repositories that are looked at; `seen` is what each ref led to, NULL before the first look."""
Index("ix_polls_by_next", polls.c.next_at)

upstreams: Final = Table(
    "upstreams",
    metadata,
    Column("pipeline_id", Uuid, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("upstream", Name, nullable=False),
    sqlite_with_rowid=False,
)
"""The names of the pipelines whose ends start others."""
Index("ix_upstreams_by_name", upstreams.c.upstream, upstreams.c.pipeline_id)

commit_statuses: Final = Table(
    "commit_statuses",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("connection", Name, nullable=False),
    Column("repository", String, nullable=False),
    Column("commit", String, nullable=False),
    Column("context", String, nullable=False),
    Column("state", String, nullable=False),
    Column("text", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("told_version", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("last_error", String),
    Column("due_at", UtcDateTime),
    Column("taken_until", UtcDateTime),
    Column("superseded_by", Uuid),
    sqlite_with_rowid=False,
)
"""What forges are to show, and which version of it they were told; `due_at` is None where that is all.

Who tells it holds the row until `taken_until`; None where nobody does. `superseded_by` is a newer run that
wants to show its own in the same place; None where there is none.
"""
Index("ix_commit_statuses_by_place", commit_statuses.c.commit, commit_statuses.c.context)
partial_index(
    "ix_commit_statuses_by_due",
    commit_statuses.c.due_at,
    where=commit_statuses.c.due_at.is_not(None),
)
