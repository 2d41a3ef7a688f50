"""What a driver answers for an attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
        outputs: the values that it gives to later nodes, by name.
        generated: the text of the nodes that it made, where its task generates some.
    """

    STATES: ClassVar[frozenset[State]] = frozenset(
        {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.TIMED_OUT}
    )

    state: State
    reason: Reason | None = None
    exit_code: int | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    generated: str | None = None

    def __post_init__(self) -> None:
        """Refuse a state that is not a driver's to say, with ValueError."""
        if self.state not in self.STATES:
            words = ", ".join(sorted(self.STATES))
            raise ValueError(f"a driver answers one of {words}, not '{self.state}'")
