"""Applying events to runs, within a transaction; what every use case that moves a run goes through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from lineshaft.engine.decision import (
    Decision,
)
from lineshaft.model.concurrency import Concurrency
from lineshaft.model.event import Event, RunApproved, RunHeld, RunRefused, RunStarted
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import Wanted
from lineshaft.model.work import PipelineWork
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import OutboxEntry, Transaction
from lineshaft.services.calls import (
    asking_address,
    asking_run,
    is_known,
)
from lineshaft.services.finding import definition_of, find_run
from lineshaft.services.moving import Moving
from lineshaft.services.new_run import NewRun, write_run
from lineshaft.services.resources.observing import note_started
from lineshaft.services.run_chores import (
    TRIGGERED_AGAIN,
    Advance,
    approved_reason,
    beginning,
    is_overtaken,
    outdated_by,
    outdated_reason,
    stopping,
    superseded_by,
)
from lineshaft.services.sources.basis import Basis
from lineshaft.services.statuses.wanting import first_statuses


@dataclass(frozen=True, slots=True)
class Started:
    """A run that was made, and what came of it.

    Attributes:
        run: as it is now.
        superseded: the runs that were cancelled for it, the newest first.
        decisions: what was written, in order.
    """

    run: Run
    superseded: Sequence[Run]
    decisions: Sequence[Decision]


class Progress:
    """Moves runs. What a decision means for other runs is done in the same transaction."""

    def __init__(
        self,
        ids: Ids,
        time_limit: timedelta | None,
        *,
        places: bool = True,
        secrets_elsewhere: bool = False,
        notifies: bool = False,
        publishes: bool = False,
    ) -> None:
        """Make one.

        Args:
            ids: where the ids of runs come from that nodes ask for.
            time_limit: how long any run may take; None means as long as its definition allows.
            places: whether tasks wait for a worker with their labels and the room that they ask for; any
                worker takes them otherwise.
            secrets_elsewhere: whether secrets that the database has not may be found elsewhere.
            notifies: whether notifications have somewhere to go; they are dropped otherwise.
            publishes: whether events are published for other systems.
        """
        self._ids = ids
        self._time_limit = time_limit
        self._places = places
        self._secrets_elsewhere = secrets_elsewhere
        self._notifies = notifies
        self._publishes = publishes

    def apply(self, transaction: Transaction, run_id: UUID, event: Event, now: datetime) -> list[Decision]:
        """Advance a run by an event and write all that follows, in this transaction.

        When the run ends by it, the run that waits for that begins, and the node that it stands for goes on.

        Returns:
            The decisions that were written, in order; none when the event was without consequence.

        Raises:
            RunNotFoundError: there is none of that id.
        """
        find_run(transaction, run_id)
        work = self._work(transaction, now)
        work.do(Advance(run_id, event))
        return work.decisions

    def start(self, transaction: Transaction, new: NewRun, now: datetime) -> Started:
        """Write a new run, supersede others where its concurrency says so, and begin it when that allows.

        One that is held does neither before it is approved.

        Raises:
            ExpressionError: the template of its concurrency group cannot be evaluated.
            PipelineNotFoundError: its pipeline does not exist.
        """
        run = write_run(transaction, self._ids.new_id(), new, now)
        for status in first_statuses(run, now):
            transaction.statuses.want_first(status)
        work = self._work(transaction, now)
        if new.held:
            text = f"{new.held} It begins once somebody has approved it."
            work.do(Advance(run.id, RunHeld(Reason(ReasonCode.WAITING_FOR_APPROVAL, text))))
            superseded: Sequence[Run] = ()
        else:
            superseded = self._begin(work, run, new.definition.concurrency, TRIGGERED_AGAIN)
        work.do(*stopping(outdated_by(transaction, run, now), outdated_reason(run)))
        run = find_run(transaction, run.id)
        note_started(transaction, run, now)
        return Started(run, superseded, work.decisions)

    def approve(self, transaction: Transaction, run_id: UUID, by: str, now: datetime) -> Started:
        """Let a held run begin as if it had just been made; nothing happens to one that is not held.

        Args:
            transaction: in which it is approved, and begins.
            run_id: which run.
            by: the name of the user who approves.
            now: when.

        Raises:
            RunNotFoundError: there is none of that id.
        """
        find_run(transaction, run_id)
        work = self._work(transaction, now)
        work.do(Advance(run_id, RunApproved(by)))
        run = find_run(transaction, run_id)
        if not work.decisions:
            return Started(run, (), ())
        concurrency = definition_of(transaction, run).concurrency
        superseded = self._begin(work, run, concurrency, approved_reason(run))
        return Started(find_run(transaction, run_id), superseded, work.decisions)

    def _begin(self, work: Moving, run: Run, concurrency: Concurrency, reason: Reason) -> Sequence[Run]:
        """Begin a run when its group allows it, and return the runs that are cancelled for it."""
        refusal = work.refusal(run)
        # What cannot begin must not stop what goes on.
        earlier = superseded_by(work.transaction, run, concurrency, work.now) if refusal is None else ()
        if refusal is None:
            work.do(*stopping(earlier, reason), beginning(run))
        else:
            work.do(Advance(run.id, refusal))
        return [each for each in earlier if each.cancel_reason is None]

    def call(
        self, transaction: Transaction, entry: OutboxEntry, basis: Basis | Reason | None, now: datetime
    ) -> list[Decision] | None:
        """Make the run that an entry of `call_pipeline` or `call_kept_pipeline` asks for. Idempotent.

        It is not made where there is one already, or where it is not wanted any more.

        Args:
            transaction: in which it is made.
            entry: what asks for it.
            basis: what the run begins with, or why that cannot be known; None where its pipeline has it.
            now: when.

        Returns:
            What was written; None where the pipeline is kept elsewhere than the basis was read.
        """
        # Another server may deliver the same entry, or stop the node, at this very moment.
        transaction.runs.hold(UUID(entry.payload["run_id"]))
        run = asking_run(transaction, entry)
        if run is None:
            return []
        wanted = PipelineWork(entry.payload["pipeline"], entry.payload["inputs"])
        if not is_known(transaction, run, wanted.pipeline, basis):
            return None
        work = self._work(transaction, now)
        work.do(*work.call(run, asking_address(entry), wanted, basis))
        return work.decisions

    def begin(
        self, transaction: Transaction, run_id: UUID, found: frozenset[Wanted] | Reason, now: datetime
    ) -> list[Decision]:
        """Begin a run that an entry of the kind `look_for_secrets` is about, or refuse it. Idempotent.

        Args:
            transaction: in which it begins.
            run_id: which run.
            found: the secrets that are outside the database, or why that is not known.
            now: when.

        Raises:
            RunNotFoundError: there is none of that id.
        """
        run = find_run(transaction, run_id)
        work = self._work(transaction, now)
        if isinstance(found, Reason):
            work.do(Advance(run_id, RunRefused(found)))
        elif not is_overtaken(transaction, run):
            work.do(Advance(run_id, RunStarted(), found))
        return work.decisions

    def _work(self, transaction: Transaction, now: datetime) -> Moving:
        return Moving(
            transaction,
            now,
            self._ids,
            RunStarted(self._time_limit),
            places=self._places,
            secrets_elsewhere=self._secrets_elsewhere,
            notifies=self._notifies,
            publishes=self._publishes,
        )
