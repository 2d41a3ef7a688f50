"""Statuses of commits: what a forge is told of a run and of its top-level nodes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

CONTEXT_PREFIX = "lineshaft"


class StatusState(StrEnum):
    """How it stands, in words that every forge has one for."""

    PENDING = "pending"
    """It has not begun, or waits for someone."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The work failed, or ran out of time."""
    ERROR = "error"
    """We failed: the worker was lost, the source could not be had."""
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StatusTarget:
    """Where a run's statuses go.

    Attributes:
        connection: the name of the forge's connection.
        repository: an address of the repository there.
        commit: that they are about; of a pull request, its head.
    """

    connection: str
    repository: str
    commit: str


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """One status of one commit.

    Attributes:
        context: by which the forge tells it from others, such as `lineshaft/shop` or `lineshaft/shop/test`.
        state: how it stands.
        text: one sentence; the adapter shortens it to what the forge takes.
        url: the page of the run; empty where this server does not know its own address.
    """

    context: str
    state: StatusState
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class WantedStatus:
    """A status that a forge is to be told.

    Attributes:
        run_id: whose; the delivery's id where that started no run.
        node: the index of the top-level node; 0 for the run itself. Below 0 where there is no run: -1 for the
            delivery's first outcome, -2 for its second, and so on.
        target: where it goes.
        status: what the forge is to show.
        version: grows whenever `status` changes; what was told of an earlier one is told again.
        due_at: when it is to be told next; None where it was told, or has been given up.
        tries: how often it has been tried in vain since `status` changed.
        told_version: which version the forge was told last; 0 for none.
        last_error: why it could not be told the last time; None where nothing went wrong.
    """

    run_id: UUID
    node: int
    target: StatusTarget
    status: CommitStatus
    version: int
    due_at: datetime | None
    tries: int = 0
    told_version: int = 0
    last_error: str | None = None

    @property
    def has_run(self) -> bool:
        """Whether there is a run that it is about."""
        return self.node >= 0

    @property
    def is_told(self) -> bool:
        """Whether the forge shows it as it is now."""
        return self.told_version >= self.version
