"""What a driver answers for an attempt."""

from dataclasses import dataclass
from typing import ClassVar

from lineshaft.model.reason import Reason
from lineshaft.model.state import State


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, in the words of the driver that made it.

    Attributes:
        state: `succeeded`, `failed`, `cancelled` or `timed_out`; a driver never says `lost` or `skipped`.
        reason: why; None only when it succeeded.
        exit_code: of the process, where there was one; 128 plus the number when a signal ended it.
    """

    STATES: ClassVar[frozenset[State]] = frozenset(
        {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.TIMED_OUT}
    )

    state: State
    reason: Reason | None = None
    exit_code: int | None = None

    def __post_init__(self) -> None:
        """Refuse a state that is not a driver's to say, with ValueError."""
        if self.state not in self.STATES:
            words = ", ".join(sorted(self.STATES))
            raise ValueError(f"a driver answers one of {words}, not '{self.state}'")
