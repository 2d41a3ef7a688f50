"""Removing what is old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that has ended, as `Retention` goes through them.

    Attributes:
        ended_at: when.
        run_id: which.
    """

    ended_at: datetime
    run_id: UUID


class Retention(Protocol):
    """Removing what is old, a part at a time, so that no other write waits for long.

    Call order: find runs by `ended`, `surplus` or `with_logs`, then call `remove_run` or `remove_logs` for
    each, in a transaction each time, until it says that it is done. All of it is idempotent; several
    processes may do it at once, and one may go on with what another has begun.

    A run may go when it has ended, and a newer one of its pipeline is there or the pipeline is deleted, and
    no run that has not ended was called by it or has called it.
    """

    def ended(self, before: datetime, *, after: EndedRun | None, limit: int) -> Sequence[EndedRun]:
        """List runs that may go and ended before a time, from behind `after`, by end and id."""
        ...

    def surplus(self, pipeline_id: UUID, keep: int, limit: int) -> Sequence[UUID]:
        """List runs of a pipeline that may go, but for its newest `keep` ended ones; the oldest first."""
        ...

    def with_logs(self, before: datetime, limit: int) -> Sequence[UUID]:
        """List runs that ended before a time and still have their logs, by end."""
        ...

    def remove_run(self, run_id: UUID, now: datetime, limit: int) -> bool:
        """Remove a part of a run if it may go: attempts, then logs, events and tests, then all else at once.

        For the blobs of its logs an outbox entry `delete_blobs` is added; its files are let go, and
        `Artifacts.sweep` removes them. At most `limit` rows are removed
        before the last part, which has no more than some rows for each node.

        Returns:
            Whether there is nothing more to do.
        """
        ...

    def remove_logs(self, run_id: UUID, now: datetime, limit: int) -> bool:
        """Remove a part of the logs of a run that has ended, as `remove_run` does; the run stays.

        Returns:
            Whether there is nothing more to do.
        """
        ...

    def pipelines(self, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """List all pipelines, deleted ones too, from behind `after`."""
        ...

    def remove_pipelines(self, limit: int) -> int:
        """Remove deleted pipelines that have no runs any more, and tell how many they were."""
        ...

    def remove_definitions(self, *, after: str, limit: int) -> str | None:
        """Look at the definitions from behind a hash, and remove those that nothing refers to.

        Returns:
            The last hash that was looked at; None when there are no more.
        """
        ...
