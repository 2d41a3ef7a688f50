"""Drivers: what does the work of an attempt."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from lineshaft.model.outcome import Outcome
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.sdk.worker_files import WorkerFiles
from lineshaft.wire.worker import LeaseMessage


@dataclass(frozen=True, slots=True)
class Assignment:
    """An attempt, and what its driver may use while it works on it.

    Attributes:
        lease: which attempt, and what to do.
        log: takes what the work prints, and masks it.
        stop: is set when the work is to stop.
        resolve_source: tells the server which commit the source is at, and returns the one the run works on.
        masking: knows what is secret; whoever sends something to elsewhere masks it before.
        files: where files are kept and found; it waits for a server that is away.
    """

    lease: LeaseMessage
    log: MaskedLog
    stop: asyncio.Event
    resolve_source: Callable[[str], Awaitable[str]]
    masking: Masking
    files: WorkerFiles


class Driver(Protocol):
    """Does one kind of work.

    `perform` is called concurrently for different attempts. When `stop` is set it ends soon, with the work
    undone or stopped, and answers `cancelled`. It raises only when it is itself at fault.
    """

    async def perform(self, assignment: Assignment) -> Outcome:
        """Do the work to its end, and tell how it went."""
        ...
