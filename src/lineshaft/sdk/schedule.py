"""Schedules as the API shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """Times at which a pipeline starts.

    Attributes:
        cron: five fields of cron.
        timezone: whose clock they mean.
        next_at: when it starts next; None where that never comes.
        last_at: the last time for which a run was to begin; None before the first.
        last_run: the run that began then; None where none did. It may have been removed since.
        last_refusal: why none did, or why it ended at once; None where it began.
        document: the JSON that this was read from.
    """

    cron: str
    timezone: str
    next_at: datetime | None
    last_at: datetime | None
    last_run: UUID | None
    last_refusal: str | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            cron=document["cron"],
            timezone=document["timezone"],
            next_at=_time(document["next_at"]),
            last_at=_time(document["last_at"]),
            last_run=None if document["last_run"] is None else UUID(document["last_run"]),
            last_refusal=document["last_refusal"],
            document=document,
        )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
