"""Auditing: what somebody did is recorded in the transaction in which it happens."""

from datetime import datetime
from uuid import UUID

from lineshaft.model.audit_entry import Action, AuditEntry
from lineshaft.model.principal import Actor
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Transaction


def record(
    transaction: Transaction,
    *,
    ids: Ids,
    now: datetime,
    by: Actor,
    action: Action,
    target: object,
    pipeline_id: UUID | None = None,
    **detail: str | int | bool | list[str] | None,
) -> None:
    """Add an entry to the audit log.

    Args:
        transaction: in which it happens.
        ids: makes the entry's id.
        now: when.
        by: who does it.
        action: what.
        target: to what, by name or id.
        pipeline_id: the pipeline that it concerns; None where it concerns none.
        detail: more of it, by name; never the value of a secret.
    """
    entry = AuditEntry(ids.new_id(), now, by, action, str(target), pipeline_id, detail)
    transaction.audit.add(entry)
