"""Deliveries: what came in from outside, and what came of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.delivery import Delivery, Outcome


class Deliveries(Protocol):
    """What came in. A delivery that is `received` is due at some time; all others are done with."""

    def add(self, delivery: Delivery) -> Delivery:
        """Keep what came in, unless it is there already by its source, connection and remote id.

        One that is `received` is due from its `received_at` on, and wakes the topic of deliveries.

        Returns:
            The one that is there: this one, or the one that came before.
        """
        ...

    def get(self, delivery_id: UUID) -> Delivery | None:
        """Find one by its id."""
        ...

    def page(
        self,
        *,
        pipeline_id: UUID | None = None,
        visible: Collection[UUID] | None = None,
        before: UUID | None = None,
        limit: int,
    ) -> Sequence[Delivery]:
        """List deliveries, newest first.

        Args:
            pipeline_id: only those of which something came for this pipeline, with all that came of them;
                None means all.
            visible: the pipelines that may be seen: only deliveries of which something came for one of them
                are listed, with those outcomes alone; None means that all may be seen.
            before: the id behind which to go on; None begins at the newest.
            limit: how many at most.
        """
        ...

    def next_due(self) -> datetime | None:
        """Tell when the next one is due; None when there is none."""
        ...

    def take(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """Take some that are due, the one that is due longest first, so that no other process does.

        Args:
            now: what is due then may be taken.
            until: when they are due again, if whoever took them is gone by then.
            limit: how many at most.
        """
        ...

    def prolong(self, delivery_ids: Collection[UUID], until: datetime) -> None:
        """Keep some that were taken for longer; without effect on those that are done with."""
        ...

    def hold(self, delivery_id: UUID) -> Delivery | None:
        """Find one, and keep other processes from changing it until this transaction has ended."""
        ...

    def note(self, delivery: Delivery, added: Sequence[Outcome], due_at: datetime | None) -> Delivery:
        """Write how one stands: its state, text, tries and `handled_at`; hold it first.

        Args:
            delivery: as it is to be, but for `added`.
            added: what came of it besides what is written already.
            due_at: when it is to be seen to next; None where that is done with.

        Returns:
            It, with all its outcomes.
        """
        ...

    def remove_old(self, before: datetime, limit: int) -> int:
        """Remove what came in before a time and is done with, some at once, and tell how many it were."""
        ...
