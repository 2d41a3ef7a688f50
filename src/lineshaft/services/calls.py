"""Nodes that are other pipelines: from a node to the run that stands for it, and back."""

from typing import Final

from lineshaft.definition import resolve_inputs
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.cause import Cause
from lineshaft.model.errors import InvalidInputError
from lineshaft.model.event import ChildRunEnded
from lineshaft.model.outcome import Outcome
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run, Source
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT
from lineshaft.model.work import PipelineWork
from lineshaft.ports.store import Transaction
from lineshaft.services.new_run import NewRun, first_said

DEEPEST_CALL: Final = 32
"""How many runs may stand for each other's nodes, one below the other."""

_ENDS: Final = {
    State.FAILED: "failed",
    State.LOST: "was lost",
    State.SKIPPED: "was skipped",
}


def called_run(
    transaction: Transaction, parent: Run, address: AttemptAddress, work: PipelineWork
) -> NewRun | Reason:
    """Find out which run a node asks for, or why there can be none.

    Of several pipelines of one name, the one that was created last is meant. A run of the same repository
    works on the same revision as the one that calls it. It has that one's priority, unless its own pipeline
    says one.
    """
    pipeline = transaction.pipelines.newest(work.pipeline)
    if pipeline is None:
        return pipeline_not_found(work.pipeline)
    circle = _circle(transaction, parent, pipeline)
    if circle is not None:
        return circle
    definition = pipeline.definition
    try:
        inputs = resolve_inputs(definition, work.inputs)
    except InvalidInputError as error:
        return Reason(ReasonCode.INPUTS_REFUSED, f"'{pipeline.name}' refuses its inputs: {error.message}")
    return NewRun(
        pipeline_id=pipeline.id,
        definition=definition,
        source=_source(parent, definition.repository),
        inputs=inputs,
        cause=Cause.PIPELINE,
        priority=first_said(definition.priority, parent.priority),
        parent=address,
        untrusted=parent.untrusted,
    )


def pipeline_not_found(name: str) -> Reason:
    """Say that there is no pipeline of a name."""
    return Reason(ReasonCode.PIPELINE_NOT_FOUND, f"No pipeline has the name '{name}'.")


def refused_call(address: AttemptAddress, reason: Reason) -> ChildRunEnded:
    """Tell a node that the run which it asks for cannot be made."""
    return ChildRunEnded(address.node, address.attempt, Outcome(State.FAILED, reason))


def stopped_call(address: AttemptAddress, reason: Reason) -> ChildRunEnded:
    """Tell a node that is to stop that no run stands for it."""
    return ChildRunEnded(address.node, address.attempt, Outcome(State.CANCELLED, reason))


def ended_call(child: Run, address: AttemptAddress) -> ChildRunEnded:
    """Tell a node how the run that stands for it has ended."""
    return ChildRunEnded(address.node, address.attempt, _outcome(child))


def _outcome(child: Run) -> Outcome:
    state = child.state
    if state is State.SUCCEEDED:
        return Outcome(State.SUCCEEDED, outputs=child.outputs.get(ROOT, {}))
    if state in (State.CANCELLED, State.TIMED_OUT) and child.root.reason is not None:
        return Outcome(state, child.root.reason)
    words = _ENDS.get(state, "did not succeed")
    text = f"Run {child.number} of '{child.tree.root.name}' {words}."
    return Outcome(State.FAILED, Reason(ReasonCode.CHILD_RUN_FAILED, text))


def _circle(transaction: Transaction, parent: Run, called: Pipeline) -> Reason | None:
    """Find out whether a pipeline is among those that wait for it, or too many wait for each other."""
    names = [called.name]
    caller: Run | None = parent
    while caller is not None:
        names.append(caller.tree.root.name)
        if caller.pipeline_id == called.id:
            circle = " calls ".join(f"'{name}'" for name in reversed(names))
            return Reason(ReasonCode.PIPELINE_CIRCLE, f"The pipelines form a circle: {circle}.")
        if len(names) > DEEPEST_CALL:
            text = f"More than {DEEPEST_CALL} pipelines call each other, one below the other."
            return Reason(ReasonCode.PIPELINE_CIRCLE, text)
        caller = None if caller.parent is None else transaction.runs.get(caller.parent.run_id)
    return None


def _source(parent: Run, repository: str | None) -> Source | None:
    if parent.source is not None and parent.source.repository == (repository or ""):
        return parent.source
    return None if repository is None else Source(repository)
