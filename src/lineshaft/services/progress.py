"""Applying events to runs, within a transaction; what every use case that moves a run goes through."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, assert_never
from uuid import UUID

from lineshaft.engine.advance import advance
from lineshaft.engine.decision import (
    AttemptQueued,
    ChildRunStopping,
    ChildRunWanted,
    Decision,
    Effect,
    RunEnded,
)
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.concurrency import Concurrency
from lineshaft.model.definition import Definition
from lineshaft.model.errors import (
    ExpressionError,
    NodeNotFoundError,
    PipelineNotFoundError,
    RunNotFoundError,
    ServerError,
)
from lineshaft.model.event import CancelRequested, Event, RunApproved, RunHeld, RunRefused, RunStarted
from lineshaft.model.placement import Demand
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import Wanted
from lineshaft.model.state import State
from lineshaft.model.tree import Place
from lineshaft.model.work import PipelineWork
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import NOTIFY, OutboxEntry, Transaction
from lineshaft.services.calls import (
    asking_address,
    asking_run,
    called_run,
    is_known,
    pipeline_not_found,
    refused_call,
    stopped_call,
)
from lineshaft.services.new_run import NewRun, write_run
from lineshaft.services.publishing.wanting import ToPublish
from lineshaft.services.resources.observing import note_moved, note_started
from lineshaft.services.run_chores import (
    TRIGGERED_AGAIN,
    Advance,
    BeginNext,
    Chore,
    after,
    approved_reason,
    beginning,
    is_overtaken,
    next_of_group,
    outdated_by,
    outdated_reason,
    stopping,
    superseded_by,
)
from lineshaft.services.secrets.wanted import missing_at_start, refusal_of_missing
from lineshaft.services.sources.basis import Basis
from lineshaft.services.sources.following import tell_followers
from lineshaft.services.statuses.wanting import changed_statuses, first_statuses

CALL_PIPELINE: Final = "call_pipeline"
"""The kind of outbox entry that says: the run that a node asks for is still to be made."""

CALL_KEPT_PIPELINE: Final = "call_kept_pipeline"
"""The same, where the file of the pipeline that it is a run of has to be read first."""

LOOK_FOR_SECRETS: Final = "look_for_secrets"
"""The kind of outbox entry that says: a run can begin once its secrets are found outside the database."""

_MOST_CALLS: Final = 64
"""How many runs one transaction makes for nodes of others; the outbox makes the rest, a transaction each."""


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

    def _begin(self, work: "_Work", run: Run, concurrency: Concurrency, reason: Reason) -> Sequence[Run]:
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

    def _work(self, transaction: Transaction, now: datetime) -> "_Work":
        return _Work(
            transaction,
            now,
            self._ids,
            RunStarted(self._time_limit),
            places=self._places,
            secrets_elsewhere=self._secrets_elsewhere,
            notifies=self._notifies,
            publishes=self._publishes,
        )


@dataclass(slots=True)
class _Work:
    """What is to be done in one transaction, as a list of chores, since chains of runs may be long."""

    transaction: Transaction
    now: datetime
    ids: Ids
    started: RunStarted
    places: bool
    secrets_elsewhere: bool
    notifies: bool
    publishes: bool
    decisions: list[Decision] = field(default_factory=list)
    calls: int = 0
    known: dict[tuple[UUID, str], bool] = field(default_factory=dict)
    to_publish: ToPublish = field(default_factory=ToPublish)

    def do(self, *chores: Chore) -> None:
        """Do chores and all that follows from them, in order."""
        todo = deque(chores)
        while todo:
            chore = todo.popleft()
            match chore:
                case Advance():
                    todo.extend(self._advance(chore))
                case BeginNext():
                    todo.extend(self._begin_next(chore))
                case _:
                    assert_never(chore)
        if self.publishes:
            self.to_publish.write(self.transaction, self.ids, self.now)

    def _advance(self, chore: Advance) -> list[Chore]:
        run = self.transaction.runs.get(chore.run_id)
        if run is None:
            return []
        event = self._start(run, chore.vouched) if isinstance(chore.event, RunStarted) else chore.event
        if event is None:
            return []
        decision = advance(run, event, self.now)
        if decision.run is run:
            return []
        if not self.places:
            decision = replace(decision, effects=tuple(map(_for_any_worker, decision.effects)))
        self._write(run, decision)
        following: list[Chore] = []
        for effect in decision.effects:
            match effect:
                case ChildRunWanted():
                    address = AttemptAddress(run.id, effect.node, effect.attempt)
                    following += self._call_or_put_off(decision.run, address, effect.work)
                case ChildRunStopping():
                    following += self._stop_call(decision.run, effect)
                case RunEnded():
                    self._notify(decision.run)
                    tell_followers(self.transaction, self.ids, decision.run, self.now)
                    following += after(decision.run)
                case _:
                    pass  # The store has written it with the run.
        return following

    def _write(self, before: Run, decision: Decision) -> None:
        self.transaction.runs.save(decision)
        note_moved(self.transaction, before, decision.run, self.now)
        for status in changed_statuses(before, decision, self.now):
            self.transaction.statuses.want(status)
        self.decisions.append(decision)
        if self.publishes:
            self.to_publish.add(decision)

    def _notify(self, run: Run) -> None:
        if not self.notifies:
            return
        for position, notification in enumerate(definition_of(self.transaction, run).notifications):
            if run.state in notification.states:
                payload = {"run_id": str(run.id), "position": position}
                self.transaction.outbox.add(OutboxEntry(self.ids.new_id(), NOTIFY, payload), self.now)

    def _start(self, run: Run, vouched: frozenset[Wanted] | None) -> RunStarted | RunRefused | None:
        """Say whether a run can begin now; None has it wait until somebody has looked for its secrets."""
        if run.state is not State.WAITING:
            return self.started
        missing = missing_at_start(self.transaction, run) - (vouched or frozenset())
        if not missing:
            return self.started
        if not self.secrets_elsewhere or vouched is not None:
            return RunRefused(refusal_of_missing(self.transaction, missing))
        entry = OutboxEntry(self.ids.new_id(), LOOK_FOR_SECRETS, {"run_id": str(run.id)})
        self.transaction.outbox.add(entry, self.now)
        return None

    def refusal(self, run: Run) -> RunRefused | None:
        """Tell why a new run will not be able to begin, as far as that is known already."""
        missing = frozenset() if self.secrets_elsewhere else missing_at_start(self.transaction, run)
        return RunRefused(refusal_of_missing(self.transaction, missing)) if missing else None

    def _call_or_put_off(self, run: Run, address: AttemptAddress, work: PipelineWork) -> list[Chore]:
        self.calls += 1
        known = self._is_known(run, work.pipeline)
        if known and self.calls <= _MOST_CALLS:
            return self.call(run, address, work, None)
        payload = {
            "run_id": str(address.run_id),
            "node": address.node,
            "attempt": address.attempt,
            "pipeline": work.pipeline,
            "inputs": dict(work.inputs),
        }
        kind = CALL_PIPELINE if known else CALL_KEPT_PIPELINE
        self.transaction.outbox.add(OutboxEntry(self.ids.new_id(), kind, payload), self.now)
        return []

    def _is_known(self, run: Run, called: str) -> bool:
        """Tell whether a run can be made without reading the file of the pipeline that is called."""
        asked = run.id, called
        if asked not in self.known:
            self.known[asked] = is_known(self.transaction, run, called, None)
        return self.known[asked]

    def call(
        self, run: Run, address: AttemptAddress, work: PipelineWork, basis: Basis | Reason | None
    ) -> list[Chore]:
        """Make the run that a node asks for, or tell the node why there is none."""
        new = called_run(self.transaction, run, address, work, basis)
        if isinstance(new, Reason):
            return [Advance(run.id, refused_call(address, new))]
        try:
            if isinstance(basis, Basis):
                self.transaction.keep_definition(new.definition)
            child = write_run(self.transaction, self.ids.new_id(), new, self.now)
        except ExpressionError as error:
            reason = Reason(ReasonCode.EXPRESSION_FAILED, error.message)
            return [Advance(run.id, refused_call(address, reason))]
        except PipelineNotFoundError:
            # Another server has deleted it since it was found.
            return [Advance(run.id, refused_call(address, pipeline_not_found(work.pipeline)))]
        refusal = self.refusal(child)
        if refusal is not None:
            return [Advance(child.id, refusal)]
        earlier = superseded_by(self.transaction, child, new.definition.concurrency, self.now)
        return [*stopping(earlier, TRIGGERED_AGAIN), beginning(child)]

    def _stop_call(self, run: Run, stopping: ChildRunStopping) -> list[Chore]:
        address = AttemptAddress(run.id, stopping.node, stopping.attempt)
        self.transaction.runs.hold(run.id)
        child_id = self.transaction.runs.child(address)
        if child_id is None:
            return [Advance(run.id, stopped_call(address, stopping.reason))]
        text = f"The run that called its pipeline stops it: {stopping.reason.text}"
        return [Advance(child_id, CancelRequested(Reason(ReasonCode.PARENT_RUN_STOPPED, text)))]

    def _begin_next(self, chore: BeginNext) -> list[Chore]:
        following = next_of_group(self.transaction, chore, self.now)
        return [] if following is None else [Advance(following.id, RunStarted())]


def _for_any_worker(effect: Effect) -> Effect:
    """Queue an attempt so that every worker of its kind may take it."""
    if not isinstance(effect, AttemptQueued):
        return effect
    return replace(effect, demand=Demand(effect.demand.kind))


def find_run(transaction: Transaction, run_id: UUID) -> Run:
    """Load a run.

    Raises:
        RunNotFoundError: there is none of that id.
    """
    run = transaction.runs.get(run_id)
    if run is None:
        raise RunNotFoundError(run_id)
    return run


def definition_of(transaction: Transaction, run: Run) -> Definition:
    """Load the definition that a run runs."""
    definition = transaction.definition(run.definition_hash)
    if definition is None:
        raise ServerError("The run's definition is gone.", status=500)
    return definition


def find_place(run: Run, path: str) -> Place:
    """Find a node of a run.

    Raises:
        NodeNotFoundError: the run has no such node.
    """
    place = run.tree.find(path)
    if place is None or not place.path:
        known = ", ".join(f"'{each.path}'" for each in list(run.tree.below_root())[:10])
        raise NodeNotFoundError(f"Run {run.number} has no node '{path}'.", advice=f"It has: {known}.")
    return place
