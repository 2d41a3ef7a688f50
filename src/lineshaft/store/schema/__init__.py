"""The tables, one module an area; who needs them imports them from here.

A change here needs a migration beside it, in `migrations/versions`, and its `REVISION`; a test holds the two
together. A new area is a new module, which is imported here, so that `metadata` knows its tables.

Tables whose rows are small and found by their key are kept in the key's order (`WITHOUT ROWID`) on SQLite, so
that a row costs one page and not two. Conditions of partial indexes are spelt as literals, here and in the
statements that are to use them: neither database matches a bound parameter with such a condition.
"""

from lineshaft.store.schema.access_tables import audit_entries, browser_sessions, grants, tokens, users
from lineshaft.store.schema.artifact_tables import artifact_parts, artifacts, caches
from lineshaft.store.schema.attempt_tables import attempts, log_chunks
from lineshaft.store.schema.declaring import metadata
from lineshaft.store.schema.literals import ONE, literal_state
from lineshaft.store.schema.outbox_table import outbox
from lineshaft.store.schema.pipeline_tables import definitions, pipelines
from lineshaft.store.schema.resource_tables import drivers, resource_definitions, resource_versions, resources
from lineshaft.store.schema.revision import REVISION, alembic_version
from lineshaft.store.schema.run_tables import events, generated, nodes, outputs, runs, timers
from lineshaft.store.schema.schedule_table import schedules
from lineshaft.store.schema.secret_tables import secrets, signing_keys
from lineshaft.store.schema.test_tables import test_chunks, test_history, test_results
from lineshaft.store.schema.trigger_tables import (
    commit_statuses,
    connections,
    deliveries,
    delivery_outcomes,
    polls,
    upstreams,
)
from lineshaft.store.schema.worker_tables import worker_keys, workers

__all__ = [
    "ONE",
    "REVISION",
    "alembic_version",
    "artifact_parts",
    "artifacts",
    "attempts",
    "audit_entries",
    "browser_sessions",
    "caches",
    "commit_statuses",
    "connections",
    "definitions",
    "deliveries",
    "delivery_outcomes",
    "drivers",
    "events",
    "generated",
    "grants",
    "literal_state",
    "log_chunks",
    "metadata",
    "nodes",
    "outbox",
    "outputs",
    "pipelines",
    "polls",
    "resource_definitions",
    "resource_versions",
    "resources",
    "runs",
    "schedules",
    "secrets",
    "signing_keys",
    "test_chunks",
    "test_history",
    "test_results",
    "timers",
    "tokens",
    "upstreams",
    "users",
    "worker_keys",
    "workers",
]
