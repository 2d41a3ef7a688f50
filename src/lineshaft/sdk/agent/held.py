"""An attempt in a worker's hands."""

import asyncio
from dataclasses import dataclass, field

from lineshaft.wire.worker import LeaseMessage


@dataclass(slots=True)
class Held:
    """An attempt in this worker's hands, from the answer that brought it until its report was taken.

    Attributes:
        lease: the right to work on it.
        stop: is set when the work is to be stopped.
        lost: whether the lease is dead, so that nobody wants to hear how it ended.
        reporting: whether the work has ended, and is being reported.
    """

    lease: LeaseMessage
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False
    reporting: bool = False

    def drop(self) -> None:
        """Stop the work without a report: the lease is dead."""
        self.lost = True
        self.stop.set()
