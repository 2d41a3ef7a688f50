"""Audit entries: who did what, when and from where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lineshaft.model.principal import Actor


class Action(StrEnum):
    """The closed list of what is recorded; docs/audit.md explains each."""

    PIPELINE_CREATED = "pipeline.created"
    PIPELINE_CHANGED = "pipeline.changed"
    PIPELINE_DELETED = "pipeline.deleted"
    PIPELINE_LET_GO = "pipeline.let_go"
    """The server has no file of pipelines any more, which kept it."""
    PIPELINE_POLLED = "pipeline.polled"
    RUN_STARTED = "run.started"
    RUN_APPROVED = "run.approved"
    RUN_CANCELLED = "run.cancelled"
    RUN_RETRIED = "run.retried"
    WORKER_DRAINED = "worker.drained"
    WORKER_FORGOTTEN = "worker.forgotten"
    WORKER_KEY_CREATED = "worker_key.created"
    WORKER_KEY_REVOKED = "worker_key.revoked"
    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_DELETED = "user.deleted"
    GRANT_SET = "grant.set"
    GRANT_REMOVED = "grant.removed"
    TOKEN_CREATED = "token.created"  # noqa: S105 - a word, not one.
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - a word, not one.
    SIGNED_IN = "session.signed_in"
    SIGNED_OUT = "session.signed_out"
    SIGN_IN_REFUSED = "session.refused"
    SECRET_SET = "secret.set"  # noqa: S105 - a word, not one.
    SECRET_DELETED = "secret.deleted"  # noqa: S105 - a word, not one.
    SECRET_USED = "secret.used"  # noqa: S105 - a word, not one.
    SECRETS_RESEALED = "secrets.resealed"
    ARTIFACT_DELETED = "artifact.deleted"
    CACHE_DELETED = "cache.deleted"
    DELIVERY_REPEATED = "delivery.repeated"
    CONNECTION_SET = "connection.set"
    CONNECTION_REMOVED = "connection.removed"
    DEFINITION_SET = "resource_definition.set"
    DEFINITION_DELETED = "resource_definition.deleted"
    RESOURCE_CREATED = "resource.created"
    RESOURCE_UPDATED = "resource.updated"
    RESOURCE_DELETED = "resource.deleted"
    RESOURCE_RESYNCED = "resource.resynced"
    DRIVERS_TOLD = "drivers.told"
    DRIVER_FORGOTTEN = "driver.forgotten"
    IDENTITY_ISSUED = "identity.issued"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did; never changed, never removed.

    Attributes:
        id: UUIDv7.
        at: when.
        actor: who, and from where.
        action: what.
        target: to what: a name or an id, as the action has it.
        pipeline_id: the pipeline that it concerns; None where it concerns none.
        detail: more of it, by name; no secret value, ever.
    """

    id: UUID
    at: datetime
    actor: Actor
    action: Action
    target: str
    pipeline_id: UUID | None = None
    detail: Mapping[str, str | int | bool | list[str] | None] = field(default_factory=dict)
