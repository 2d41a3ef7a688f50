"""The audit log in the database."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select

from lineshaft.model.audit_entry import Action, AuditEntry
from lineshaft.model.principal import Actor, Means
from lineshaft.ports.store.audit import AuditFilter
from lineshaft.store.schema import audit_entries
from lineshaft.store.session import Session

_INSERT: Final = insert(audit_entries)


class SqlAudit:
    """The audit log; see `ports.store.Audit`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def add(self, entry: AuditEntry) -> None:
        """Add one."""
        self._session.change()
        actor = entry.actor
        values = {
            "id": entry.id,
            "at": entry.at,
            "actor": actor.name,
            "means": actor.means.value,
            "address": actor.address,
            "request_id": actor.request_id,
            "credential_id": actor.credential_id,
            "action": entry.action.value,
            "target": entry.target,
            "pipeline_id": entry.pipeline_id,
            "detail": dict(entry.detail) or None,
        }
        self._session.connection.execute(_INSERT, values)

    def page(self, of: AuditFilter, *, before: UUID | None, limit: int) -> Sequence[AuditEntry]:
        """List entries, newest first."""
        columns = audit_entries.c
        said = {
            "actor": of.actor,
            "action": None if of.action is None else of.action.value,
            "pipeline_id": of.pipeline_id,
        }
        conditions = [columns[name] == value for name, value in said.items() if value is not None]
        if of.since is not None:
            conditions.append(columns.at >= of.since)
        if of.until is not None:
            conditions.append(columns.at < of.until)
        if before is not None:
            conditions.append(columns.id < before)
        statement = select(audit_entries).where(*conditions).order_by(columns.id.desc()).limit(limit)
        return [_entry(row) for row in self._session.connection.execute(statement)]


def _entry(row: Row[Any]) -> AuditEntry:
    actor = Actor(row.actor, Means(row.means), row.address, row.request_id, row.credential_id)
    return AuditEntry(
        row.id, row.at, actor, Action(row.action), row.target, row.pipeline_id, dict(row.detail or {})
    )
