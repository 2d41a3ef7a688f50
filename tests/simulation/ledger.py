"""What was promised to those outside, and what truly happened out there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.outcome import Outcome


class BrokenPromiseError(Exception):
    """An invariant does not hold."""


@dataclass(slots=True)
class Ledger:
    """Kept by the world around the servers, and held against their database.

    Attributes:
        now: tells the virtual time, in seconds.
        trace: what has happened, a line each, where somebody wants to read it.
        findings: what is wrong.
        closed: whether the seed is over, so that nothing counts any more.
        triggered: the runs whose triggers were acknowledged.
        cancelled: the runs whose cancellations were acknowledged.
        approved: the runs whose approvals were acknowledged.
        reported: how attempts ended, whose reports were acknowledged.
        appended: how many bytes of logs were acknowledged.
        written: what drivers have written, by attempt and token.
        began: the tokens under which drivers have begun to work on a node, by run and node.
        commits: the commit that a run's tasks were told to work on.
    """

    now: Callable[[], float]
    trace: list[str] | None = None
    findings: list[str] = field(default_factory=list)
    closed: bool = False
    triggered: dict[UUID, None] = field(default_factory=dict)
    cancelled: dict[UUID, None] = field(default_factory=dict)
    approved: dict[UUID, None] = field(default_factory=dict)
    reported: dict[AttemptAddress, Outcome] = field(default_factory=dict)
    appended: dict[AttemptAddress, int] = field(default_factory=dict)
    written: dict[tuple[AttemptAddress, str], bytearray] = field(default_factory=dict)
    began: dict[tuple[UUID, int], list[str]] = field(default_factory=dict)
    commits: dict[UUID, str] = field(default_factory=dict)

    def tell(self, text: str) -> None:
        """Add a line to the trace."""
        if self.trace is not None and not self.closed:
            self.trace.append(f"{self.now():10.3f}  {text}")

    def find(self, text: str) -> None:
        """Note that something is wrong, which ends the seed."""
        if not self.closed:
            self.tell(f"WRONG: {text}")
            self.findings.append(f"at {self.now():.3f} s: {text}")
