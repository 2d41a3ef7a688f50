"""What a driver answers for an attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.reason import Reason
from lineshaft.model.state import State


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, in the words of the driver that made it.

    Attributes:
        state: `succeeded`, `failed`, `cancelled` or `timed_out`; `lost` where the worker itself, or what it
            works with, could not do it, and another try may succeed. A driver never says `skipped`.
        reason: why; None only when it succeeded.
        exit_code: of the process, where there was one; 128 plus the number when a signal ended it.
        outputs: the values that it gives to later nodes, by name.
        generated: the text of the nodes that it made, where its task generates some.
        begun: whether any of the work may have been done; only a loss can be sure that none was, and is then
            followed by another attempt even of what may not begin twice.
        result: what a driver that somebody has written has answered; None for built-in kinds.
    """

    STATES: ClassVar[frozenset[State]] = frozenset(
        {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.TIMED_OUT, State.LOST}
    )

    state: State
    reason: Reason | None = None
    exit_code: int | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    generated: str | None = None
    begun: bool = True
    result: DriverResult | None = None

    def __post_init__(self) -> None:
        """Refuse, with ValueError, what is not a driver's to say."""
        if self.state not in self.STATES:
            words = ", ".join(sorted(self.STATES))
            raise ValueError(f"a driver answers one of {words}, not '{self.state}'")
        if not self.begun and self.state is not State.LOST:
            raise ValueError(f"work that has not begun is 'lost', not '{self.state}'")
