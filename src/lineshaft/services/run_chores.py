"""What is to be done about runs within one transaction, and what follows from the start and end of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from lineshaft.model.concurrency import Concurrency, Policy
from lineshaft.model.event import CancelRequested, Event, RunStarted
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import Wanted
from lineshaft.model.state import State
from lineshaft.ports.store import Transaction
from lineshaft.services.bad_runs import readable
from lineshaft.services.calls import ended_call

TRIGGERED_AGAIN: Final = Reason(ReasonCode.SUPERSEDED, "The pipeline was triggered again.")


@dataclass(frozen=True, slots=True)
class Advance:
    """A run is to hear of an event.

    Attributes:
        run_id: which run.
        event: the event.
        vouched: of a run that is to begin, the secrets that are known to be outside the database; None where
            nobody has looked for them.
    """

    run_id: UUID
    event: Event
    vouched: frozenset[Wanted] | None = None


@dataclass(frozen=True, slots=True)
class BeginNext:
    """The oldest waiting run of a group is to begin, unless one of the group is still going."""

    pipeline_id: UUID
    group: str


Chore = Advance | BeginNext


def stopping(runs: Sequence[Run], reason: Reason) -> list[Chore]:
    """Cancel runs, in the order given."""
    return [Advance(each.id, CancelRequested(reason)) for each in runs]


def beginning(run: Run) -> Chore:
    """Let a run begin, when its group has nothing against it."""
    if run.concurrency_group is None:
        return Advance(run.id, RunStarted())
    return BeginNext(run.pipeline_id, run.concurrency_group)


def after(run: Run) -> list[Chore]:
    """Tell what follows from a run's end."""
    following: list[Chore] = []
    if run.parent is not None:
        following.append(Advance(run.parent.run_id, ended_call(run, run.parent)))
    if run.concurrency_group is not None:
        following.append(BeginNext(run.pipeline_id, run.concurrency_group))
    return following


def superseded_by(
    transaction: Transaction, run: Run, concurrency: Concurrency, now: datetime
) -> Sequence[Run]:
    """List the runs that one cancels which is to begin.

    The newest comes first: when the one that goes ends, none that waits for it is left to begin.
    """
    if run.concurrency_group is None or concurrency.policy is not Policy.SUPERSEDE:
        return ()
    unended = transaction.runs.unended_of_group(run.pipeline_id, run.concurrency_group)
    return [each for each in reversed(readable(transaction, unended, now)) if each.id != run.id]


def outdated_by(transaction: Transaction, run: Run, now: datetime) -> Sequence[Run]:
    """List the runs that wait for approval of what a new one has a later state of.

    A run that repeats another is no later than those that wait.
    """
    number = run.origin.pull_request
    if number is None or run.retry_of is not None:
        return ()
    held = transaction.runs.held(run.pipeline_id, pull_request=number)
    return [each for each in readable(transaction, held, now) if each.id != run.id]


def outdated_reason(run: Run) -> Reason:
    """Say that nobody needs to approve a run any more."""
    text = f"Pull request {run.origin.pull_request} has changed since, and run {run.number} is for that."
    return Reason(ReasonCode.SUPERSEDED, text)


def approved_reason(run: Run) -> Reason:
    """Say that a run makes room for one that was held."""
    return Reason(ReasonCode.SUPERSEDED, f"Run {run.number} was approved, and takes its place.")


def next_of_group(transaction: Transaction, chore: BeginNext, now: datetime) -> Run | None:
    """Find the run of a group whose turn has come; None while one of the group goes on, or none waits."""
    # Runs of a group begin in their order, so that the oldest that has not ended tells of all. Only one
    # that was held may be older than the one that goes on.
    unended = transaction.runs.unended_of_group(chore.pipeline_id, chore.group, limit=1)
    oldest = next(iter(readable(transaction, unended, now)), None)
    if oldest is None or oldest.state is not State.WAITING:
        return None
    if oldest.approved_by and transaction.runs.group_goes_on(chore.pipeline_id, chore.group):
        return None
    return oldest


def is_overtaken(transaction: Transaction, run: Run) -> bool:
    """Tell whether another of a run's group has begun since it had its turn, as one that was held may."""
    group = run.concurrency_group
    if group is None or run.state is not State.WAITING:
        return False
    unended = transaction.runs.unended_of_group(run.pipeline_id, group, limit=1)
    first = next(iter(unended.runs), None)
    if first is None or not (first.approved_by or first.id != run.id):
        return False
    return transaction.runs.group_goes_on(run.pipeline_id, group)
