"""Runs, as the store keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from lineshaft.engine.decision import Decision
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import CorruptRunError
from lineshaft.model.event import RunEvent
from lineshaft.model.run import Run


@dataclass(frozen=True, slots=True)
class UnendedRuns:
    """Runs of a pipeline that have not ended.

    Attributes:
        runs: those that can be read, oldest first.
        corrupt: what is wrong with each of the others that were met.
    """

    runs: Sequence[Run]
    corrupt: Sequence[CorruptRunError] = ()


class Runs(Protocol):
    """Runs, their nodes, events and attempts, written as the engine decides."""

    def create(self, run: Run) -> None:
        """Write a run in which nothing has begun; its definition is stored already.

        What it has from another run is written with it: nodes that do not wait, outputs, generated nodes.
        """
        ...

    def get(self, run_id: UUID) -> Run | None:
        """Find one by its id, as this transaction has last saved it."""
        ...

    def pipeline_of(self, run_id: UUID) -> UUID | None:
        """Find the pipeline of a run, without the rest of it; None where there is no such run.

        It is found of a run as well that cannot be read otherwise.
        """
        ...

    def hold(self, run_id: UUID) -> None:
        """Keep other processes from writing or holding a run until this transaction has ended.

        Waits for one that does so already; what is read behind this shows what that one has committed.
        """
        ...

    def save(self, decision: Decision) -> None:
        """Write what the engine decided: run, changed nodes, events, attempts; check `version`.

        `AttemptQueued` adds an attempt to the queue, `AttemptStopping` marks it, `AttemptEnded` closes it and
        adds an outbox entry `seal_log` (payload: run_id, node, attempt) where it has a log. Wakes the topics
        concerned: the run's, the queue, the stopped attempts' workers, the ended attempts' logs, and that of
        timers for one that is due within `TIMER_NOTICE`.

        `TimerSet` puts a timer in the place of the one of its node and purpose; `RunEnded` drops all of the
        run's. `OutputsGiven` and `TreeGrown` are kept, so that the run is found with its outputs and with
        the nodes that it made. `ChildRunWanted` and `ChildRunStopping` concern other runs: the caller acts.

        A version that is not one more than the stored one makes the store run the function again.
        """
        ...

    def unended(self, pipeline_id: UUID) -> UnendedRuns:
        """List the pipeline's runs that have not ended.

        Until a writing transaction that asked has ended, no other process can ask, so that of two processes,
        one of which ends a run while the other creates the next, the later one sees what the earlier one did.
        """
        ...

    def unended_of_group(self, pipeline_id: UUID, group: str, *, limit: int | None = None) -> UnendedRuns:
        """List the pipeline's runs of a `concurrency_group` that have not ended; the oldest `limit` of them.

        Held ones are in nobody's way, and are left out. Those that cannot be read do not count towards the
        limit. As `unended`, it keeps other processes from asking.
        """
        ...

    def group_goes_on(self, pipeline_id: UUID, group: str) -> bool:
        """Tell whether a run of a `concurrency_group` has begun and not ended."""
        ...

    def held(self, pipeline_id: UUID, *, pull_request: int) -> UnendedRuns:
        """List the pipeline's runs for a pull request that wait for approval."""
        ...

    def child(self, parent: AttemptAddress) -> UUID | None:
        """Find the id of the run that stands for an attempt of another run; None where there is none."""
        ...

    def page(self, pipeline_id: UUID, *, before: int | None, limit: int) -> Sequence[Run]:
        """List the pipeline's runs, newest first, with numbers below `before`.

        Those that cannot be read are left out.
        """
        ...

    def events(self, run_id: UUID, *, after: int, limit: int) -> Sequence[RunEvent]:
        """List a run's events with numbers above `after`, ascending."""
        ...
