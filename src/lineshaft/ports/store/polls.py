"""Polls: which repositories are to be looked at, when, and what was seen there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.poll import KeptPoll


class Polls(Protocol):
    """The polls of the pipelines that exist, one at most of each."""

    def get(self, pipeline_id: UUID) -> KeptPoll | None:
        """Find the one of a pipeline."""
        ...

    def put(self, poll: KeptPoll) -> None:
        """Give a pipeline a poll in the place of the one that it has, and wake the topic of polls.

        Hold the pipeline before you look at what it has.
        """
        ...

    def remove(self, pipeline_id: UUID) -> None:
        """Look no more; without effect where nobody does."""
        ...

    def next_due(self) -> datetime | None:
        """Tell when the next one is due; None when there is none."""
        ...

    def take(self, now: datetime, until: datetime, limit: int) -> Sequence[KeptPoll]:
        """Take some that are due, the one that is due longest first, so that no other process does.

        Args:
            now: what is due then may be taken.
            until: when they are due again, if whoever took them is gone by then.
            limit: how many at most.

        Returns:
            Them, with `next_at` as it is now.
        """
        ...

    def note(self, taken: KeptPoll, poll: KeptPoll) -> bool:
        """Write how one stands after a look, unless it is not as it was when it was taken.

        Wakes the topic of polls, since it may be due sooner than those before it.

        Args:
            taken: as `take` has returned it.
            poll: as it is to be.

        Returns:
            Whether it was written; False where somebody else has taken, replaced or removed it.
        """
        ...
