"""Outdating: which runs nobody need approve any more, since their pull request is over, or another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from lineshaft.model.change import PullRequest, PullRequestAction
from lineshaft.model.delivery import Delivery
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.ports.store import Transaction
from lineshaft.services.bad_runs import readable
from lineshaft.services.new_run import NewRun

_OVER: Final = {PullRequestAction.CLOSED: "closed", PullRequestAction.MERGED: "merged"}
_MOVING: Final = frozenset(
    {
        PullRequestAction.OPENED,
        PullRequestAction.UPDATED,
        PullRequestAction.REOPENED,
        PullRequestAction.READY,
    }
)
"""What is told of the head as it is now; whoever tells of labels may have looked at it long before."""

_LOOKED_BACK: Final = 200


@dataclass(frozen=True, slots=True)
class Outdating:
    """A change of a pull request, of which a pipeline may have runs that wait for approval.

    Attributes:
        pipeline: whose runs they are.
        asked: the pull request, as it is now.
    """

    pipeline: Pipeline
    asked: PullRequest


def may_outdate(asked: PullRequest) -> bool:
    """Tell whether what is told of a pull request may make it needless to approve runs for it."""
    return asked.action in _OVER or asked.action in _MOVING


def outdated(
    transaction: Transaction, outdating: Outdating, delivery: Delivery, now: datetime
) -> Sequence[Run]:
    """List the runs that wait for approval of what a pull request was before a delivery told of it."""
    asked = outdating.asked
    held = transaction.runs.held(outdating.pipeline.id, pull_request=asked.number)
    return [
        run
        for run in readable(transaction, held, now)
        if _is_before(run, delivery) and _outdates(asked, asked.number, run.origin.head_commit)
    ]


def outdating_reason(asked: PullRequest) -> Reason:
    """Say that nobody needs to approve a run any more."""
    word = _OVER.get(asked.action)
    if word is None:
        text = f"Pull request {asked.number} has changed since, so that nobody need approve this run."
        return Reason(ReasonCode.SUPERSEDED, text)
    text = f"Pull request {asked.number} was {word} before anybody approved this run."
    return Reason(ReasonCode.PULL_REQUEST_CLOSED, text)


def told_since(transaction: Transaction, new: NewRun, delivery: Delivery) -> UUID | None:
    """Find a later delivery by which nobody need approve a run that is to be made; None where there is none.

    One that was asked again and again may be seen to behind those that came in later.
    """
    number, head = new.origin.pull_request, new.origin.head_commit
    if not new.held or number is None:
        return None
    for each in transaction.deliveries.page(pipeline_id=new.pipeline_id, limit=_LOOKED_BACK):
        if each.id <= delivery.id:
            break
        asked = [change.pull_request for change in each.changes if change.pull_request is not None]
        if each.connection == delivery.connection and any(_outdates(one, number, head) for one in asked):
            return each.id
    return None


def _is_before(run: Run, delivery: Delivery) -> bool:
    # Ids of deliveries are in the order in which they came in.
    return run.origin.delivery is None or run.origin.delivery < delivery.id


def _outdates(asked: PullRequest, number: int, head: str) -> bool:
    """Tell whether a pull request is over by what is told, or has another head, perhaps in short."""
    if asked.number != number:
        return False
    if asked.action in _OVER:
        return True
    return asked.action in _MOVING and not head.startswith(asked.head_commit)
