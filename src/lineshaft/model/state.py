"""The states that runs, nodes and attempts share."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a run, a node or an attempt stands; spelt so in the API, the CLI and the store."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    LOST = "lost"

    @property
    def ended(self) -> bool:
        """Whether this is an end state, which is never left."""
        return self in END_STATES

    @property
    def unsuccessful(self) -> bool:
        """Whether a sequence stops behind a child that ended so."""
        return self in UNSUCCESSFUL_STATES


END_STATES: Final = frozenset(
    {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED, State.TIMED_OUT, State.LOST}
)
UNSUCCESSFUL_STATES: Final = frozenset({State.FAILED, State.CANCELLED, State.TIMED_OUT, State.LOST})
