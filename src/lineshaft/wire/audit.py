"""Audit entries as the API shows them."""

from typing import Any

from lineshaft.model.audit_entry import AuditEntry
from lineshaft.wire.run import time_text


def audit_document(entry: AuditEntry) -> dict[str, Any]:
    """Say an entry as JSON."""
    actor = entry.actor
    return {
        "id": str(entry.id),
        "at": time_text(entry.at),
        "actor": actor.name,
        "means": actor.means.value,
        "address": actor.address or None,
        "request_id": actor.request_id or None,
        "credential_id": None if actor.credential_id is None else str(actor.credential_id),
        "action": entry.action.value,
        "target": entry.target,
        "pipeline_id": None if entry.pipeline_id is None else str(entry.pipeline_id),
        "detail": dict(entry.detail),
    }
