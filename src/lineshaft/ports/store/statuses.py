"""Statuses of commits: what forges are to be told."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.commit_status import WantedStatus


class Statuses(Protocol):
    """What forges are to be told, one status for a run and a node.

    A forge shows one status in one place: for a repository, a commit and a context. Those that several runs
    want there are told in the order in which the runs were made, one after the other, and of an older run no
    more once a newer one wants to show its own.

    Who tells takes a status first, for a time within which nobody else does; what it has to say afterwards
    counts only as long as it holds what it took. What is wanted meanwhile is due when it lets go.
    """

    def want(self, wanted: WantedStatus) -> None:
        """Want a status, in the place of an earlier version; wakes the topic `STATUSES`."""
        ...

    def want_first(self, wanted: WantedStatus) -> None:
        """Want the first version of a status, in the place of those of all older runs; wakes `STATUSES`."""
        ...

    def take(
        self, now: datetime, until: datetime, *, limit: int, passing_over: Collection[str]
    ) -> Sequence[WantedStatus]:
        """Take statuses that are due and that nobody holds, the oldest first.

        Args:
            now: what is due by then.
            until: for how long; nobody else takes them before.
            limit: how many at most.
            passing_over: the names of connections that are left alone.
        """
        ...

    def told(self, taken: WantedStatus, until: datetime) -> None:
        """Note that the forge was told the version that was taken until then, and let go of it."""
        ...

    def failed(self, taken: WantedStatus, until: datetime, *, error: str, due_at: datetime | None) -> None:
        """Note that it could not be told, and let go of it.

        Args:
            taken: what was taken.
            until: until when.
            error: why, as a sentence.
            due_at: when to try again; None gives this version up.
        """
        ...

    def put_back(self, taken: WantedStatus, until: datetime) -> None:
        """Let go of what was taken and not tried."""
        ...

    def put_off(self, connection: str, until: datetime) -> None:
        """Have nothing of a connection be due before a time, but for what somebody holds."""
        ...

    def next_due(self, *, passing_over: Collection[str]) -> datetime | None:
        """Tell when there may be something to take next; None where there will be nothing."""
        ...

    def of_run(self, run_id: UUID) -> Sequence[WantedStatus]:
        """List those of a run, by node."""
        ...
