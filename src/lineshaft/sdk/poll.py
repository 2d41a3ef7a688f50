"""Polls as the API shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class PollView:
    """The looks at the repository of a pipeline.

    Attributes:
        next_at: when the next look is due.
        last_at: when it was looked last, in vain or not; None before the first look.
        failures: how many looks in a row were in vain.
        last_error: why the last look was in vain; None where it was not.
        document: the JSON that this was read from.
    """

    next_at: datetime
    last_at: datetime | None
    failures: int
    last_error: str | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        last_at = document["last_at"]
        return cls(
            next_at=datetime.fromisoformat(document["next_at"]),
            last_at=None if last_at is None else datetime.fromisoformat(last_at),
            failures=document["failures"],
            last_error=document["last_error"],
            document=document,
        )
