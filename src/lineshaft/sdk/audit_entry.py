"""Audit entries as the API shows them; `wire.audit` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class AuditEntryView:
    """One thing that somebody did.

    Attributes:
        at: when.
        actor: the user or worker who did it.
        means: by what they were known, such as `token`.
        address: from where; None where it came from no network.
        action: what, such as `pipeline.changed`.
        target: to what, by name or id.
        detail: more of it, by name.
        document: the JSON that this was read from.
    """

    at: datetime
    actor: str
    means: str
    address: str | None
    action: str
    target: str
    detail: Mapping[str, Any]
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            at=datetime.fromisoformat(document["at"]),
            actor=document["actor"],
            means=document["means"],
            address=document["address"],
            action=document["action"],
            target=document["target"],
            detail=document["detail"],
            document=document,
        )
