"""Retries: when a task is tried again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State

LONGEST_WAIT: Final = timedelta(hours=1)
_MOST_DOUBLINGS: Final = 32


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, and after what, a task is tried again.

    Attributes:
        count: how many attempts may follow the first.
        states: the ends after which it is tried again.
        exit_codes: further, the exit codes after which it is tried again although `failed` is not among
            `states`.
        backoff: the wait before the first retry; it doubles with each.
    """

    count: int
    states: frozenset[State] = frozenset({State.FAILED, State.TIMED_OUT})
    exit_codes: frozenset[int] = frozenset()
    backoff: timedelta = timedelta()

    def covers(self, outcome: Outcome) -> bool:
        """Whether an attempt that ended so is followed by another, as far as the count allows."""
        if outcome.state in self.states:
            return True
        return outcome.state is State.FAILED and outcome.exit_code in self.exit_codes

    def wait(self, retry: int) -> timedelta:
        """Tell how long to wait before a retry, counted from 1."""
        doublings: int = 2 ** min(retry - 1, _MOST_DOUBLINGS)
        return min(self.backoff, LONGEST_WAIT / doublings) * doublings
