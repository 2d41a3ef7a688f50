"""The audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.audit_entry import Action, AuditEntry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to show; what is None does not matter.

    Attributes:
        actor: by whom.
        action: of what kind.
        pipeline_id: concerning which pipeline.
        since: not before this time.
        until: before this time.
    """

    actor: str | None = None
    action: Action | None = None
    pipeline_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class Audit(Protocol):
    """The audit log: entries are added, and never changed or removed."""

    def add(self, entry: AuditEntry) -> None:
        """Add one."""
        ...

    def page(self, of: AuditFilter, *, before: UUID | None, limit: int) -> Sequence[AuditEntry]:
        """List entries, newest first.

        Args:
            of: which.
            before: the id behind which to go on; None begins at the newest.
            limit: how many at most.
        """
        ...
