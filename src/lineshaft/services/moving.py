"""All that one transaction does with runs: what a decision means for others, and what follows from that."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime
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
from lineshaft.model.errors import (
    ExpressionError,
    PipelineNotFoundError,
)
from lineshaft.model.event import CancelRequested, RunRefused, RunStarted
from lineshaft.model.placement import Demand
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import Wanted
from lineshaft.model.state import State
from lineshaft.model.work import PipelineWork
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import NOTIFY, OutboxEntry, Transaction
from lineshaft.services.calls import (
    called_run,
    is_known,
    pipeline_not_found,
    refused_call,
    stopped_call,
)
from lineshaft.services.finding import definition_of
from lineshaft.services.new_run import write_run
from lineshaft.services.publishing.wanting import ToPublish
from lineshaft.services.resources.observing import note_moved
from lineshaft.services.run_chores import (
    TRIGGERED_AGAIN,
    Advance,
    BeginNext,
    Chore,
    after,
    beginning,
    next_of_group,
    stopping,
    superseded_by,
)
from lineshaft.services.secrets.wanted import missing_at_start, refusal_of_missing
from lineshaft.services.sources.basis import Basis
from lineshaft.services.sources.following import tell_followers
from lineshaft.services.statuses.wanting import changed_statuses

CALL_PIPELINE: Final = "call_pipeline"
"""The kind of outbox entry that says: the run that a node asks for is still to be made."""

CALL_KEPT_PIPELINE: Final = "call_kept_pipeline"
"""The same, where the file of the pipeline that it is a run of has to be read first."""

LOOK_FOR_SECRETS: Final = "look_for_secrets"
"""The kind of outbox entry that says: a run can begin once its secrets are found outside the database."""

_MOST_CALLS: Final = 64
"""How many runs one transaction makes for nodes of others; the outbox makes the rest, a transaction each."""


@dataclass(slots=True)
class Moving:
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
