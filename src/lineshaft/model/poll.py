"""Polls: what is kept of a repository that is looked at again and again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class KeptPoll:
    """The looks at the repository of one pipeline.

    Attributes:
        pipeline_id: whose.
        next_at: when the next look is due. Whoever takes it pushes this ahead, so that nobody else does, and
            knows by it afterwards that nobody else has.
        seen: where each branch and tag led that the pipeline is polled for; None before the first look.
        failures: how many looks in a row were in vain.
        last_at: when it was looked last, in vain or not; None before the first look.
        last_error: why the last look was in vain; None where it was not.
    """

    pipeline_id: UUID
    next_at: datetime
    seen: Mapping[str, str] | None = None
    failures: int = 0
    last_at: datetime | None = None
    last_error: str | None = None
