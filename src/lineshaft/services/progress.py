"""Applying events to runs, within a transaction; what every use case that moves a run goes through."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lineshaft.engine.advance import advance
from lineshaft.engine.decision import Decision, RunEnded
from lineshaft.model.errors import RunNotFoundError
from lineshaft.model.event import Event, RunStarted
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.store import Transaction


def find_run(transaction: Transaction, run_id: UUID) -> Run:
    """Load a run.

    Raises:
        RunNotFoundError: there is none of that id.
    """
    run = transaction.runs.get(run_id)
    if run is None:
        raise RunNotFoundError(run_id)
    return run


def apply(transaction: Transaction, run_id: UUID, event: Event, now: datetime) -> list[Decision]:
    """Advance a run by an event and write what follows, in this transaction.

    When the run ends by it, the run of the same pipeline that waits for that begins, in this transaction too.

    Returns:
        The decisions that were written, in order; none when the event was without consequence.

    Raises:
        RunNotFoundError: there is none of that id.
    """
    run = find_run(transaction, run_id)
    decision = advance(run, event, now)
    if decision.run is run:
        return []
    transaction.runs.save(decision)
    decisions = [decision]
    if any(isinstance(effect, RunEnded) for effect in decision.effects):
        decisions += begin_next_run(transaction, run.pipeline_id, now)
    return decisions


def begin_next_run(transaction: Transaction, pipeline_id: UUID, now: datetime) -> list[Decision]:
    """Begin the pipeline's oldest waiting run, unless one of its runs is still going."""
    unended: Sequence[Run] = transaction.runs.unended(pipeline_id)
    if not unended or any(run.state is not State.WAITING for run in unended):
        return []
    return apply(transaction, unended[0].id, RunStarted(), now)
