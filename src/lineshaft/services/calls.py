"""Nodes that are other pipelines: from a node to the run that stands for it, and back."""

import json
from typing import Final

from lineshaft.definition import resolve_inputs
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.callers import NO_CALLERS, Callers, can_be_listed
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
from lineshaft.services.run_request import NOTHING_SPECIAL
from lineshaft.services.sources.basis import Basis

DEEPEST_CALL: Final = 32
"""How many runs may stand for each other's nodes, one below the other."""

_TOLD_OF_ONE_NAME: Final = 3
"""Of how many pipelines of one name a reason tells the ids."""

_ENDS: Final = {
    State.FAILED: "failed",
    State.LOST: "was lost",
    State.SKIPPED: "was skipped",
}


def called_run(
    transaction: Transaction,
    parent: Run,
    address: AttemptAddress,
    work: PipelineWork,
    basis: Basis | Reason | None = None,
) -> NewRun | Reason:
    """Find out which run a node asks for, or why there can be none.

    A run of the same repository works on the same revision as the one that calls it. It has the caller's
    priority, unless its own pipeline says one. Whether the other may be called is told by its own definition,
    whatever its file says at a commit.

    Args:
        transaction: knows all pipelines and runs.
        parent: the run of the node.
        address: the node's attempt.
        work: what it asks for.
        basis: what the run begins with, or why that cannot be known; None where its pipeline has it.
    """
    pipeline = called_pipeline(transaction, work.pipeline)
    if isinstance(pipeline, Reason):
        return pipeline
    refusal = refused(transaction, parent, pipeline)
    if refusal is not None:
        return refusal
    if isinstance(basis, Reason):
        return basis
    definition = pipeline.definition if basis is None else basis.definition
    try:
        inputs = resolve_inputs(definition, work.inputs)
    except InvalidInputError as error:
        return Reason(ReasonCode.INPUTS_REFUSED, f"'{pipeline.name}' refuses its inputs: {error.message}")
    return NewRun(
        pipeline_id=pipeline.id,
        definition=definition,
        source=_source(parent, pipeline) if basis is None else basis.source,
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


def refused(transaction: Transaction, parent: Run, called: Pipeline) -> Reason | None:
    """Find out why a run may not call a pipeline; None where it may."""
    return _circle(transaction, parent, called) or _not_admitted(transaction, parent, called)


def is_known(transaction: Transaction, parent: Run, name: str, basis: Basis | Reason | None) -> bool:
    """Tell whether it is known what a run begins with that another one wants to call.

    Args:
        transaction: knows all pipelines and runs.
        parent: the run that calls.
        name: of the pipeline that it calls.
        basis: what was found out; None where nothing was.
    """
    called = called_pipeline(transaction, name)
    if isinstance(called, Reason) or isinstance(basis, Reason):
        return True
    if called.config_file is None and basis is None:
        return True
    if basis is not None and basis.fits(called):
        return True
    return refused(transaction, parent, called) is not None


def called_pipeline(transaction: Transaction, name: str) -> Pipeline | Reason:
    """Find the pipeline of a name.

    Several are none: whoever may give a pipeline a name could draw the calls of another to theirs, with what
    the callers give it.
    """
    found = transaction.pipelines.page(name=name, after=None, limit=_TOLD_OF_ONE_NAME + 1)
    match found:
        case []:
            return pipeline_not_found(name)
        case [pipeline]:
            return pipeline
        case _:
            count = len(found) if len(found) <= _TOLD_OF_ONE_NAME else f"More than {_TOLD_OF_ONE_NAME}"
            ids = ", ".join(str(each.id) for each in found[:_TOLD_OF_ONE_NAME])
            text = f"{count} pipelines have the name '{name}': {ids}. Give each a name of its own."
            return Reason(ReasonCode.PIPELINE_AMBIGUOUS, text)


def _not_admitted(transaction: Transaction, parent: Run, called: Pipeline) -> Reason | None:
    """Find out why a pipeline does not let that of a run call it; None where it does.

    The database says what the caller is called. Its run may say otherwise, by an override of whoever started
    it.
    """
    callers = called.definition.callable_by
    if callers.everybody or parent.pipeline_id in callers.ids:
        return None
    caller = transaction.pipelines.get(parent.pipeline_id)
    if caller is None:
        text = f"'{called.name}' does not let every pipeline call it, and the one that calls was deleted."
        return Reason(ReasonCode.CALL_REFUSED, text)
    why = why_not_admitted(transaction, called, caller, "call")
    return None if why is None else Reason(ReasonCode.CALL_REFUSED, why)


def why_not_admitted(transaction: Transaction, called: Pipeline, caller: Pipeline, verb: str) -> str | None:
    """Tell why a pipeline does not let another one have to do with its runs; None where it does.

    Args:
        transaction: knows which names are those of one pipeline alone.
        called: which must admit the other.
        caller: the other.
        verb: what the other wants: to call it, or to follow it.
    """
    callers = called.definition.callable_by
    alone = len(transaction.pipelines.page(name=caller.name, after=None, limit=2)) == 1
    if callers.admit(caller.id, caller.name if alone else None):
        return None
    return _refusal(callers, called, caller, verb, alone=alone)


def _refusal(callers: Callers, called: Pipeline, caller: Pipeline, verb: str, *, alone: bool) -> str:
    refuses = f"'{called.name}' does not let '{caller.name}' {verb} it"
    if not alone:
        by_id = f"list its id {caller.id} in `callable_by` of '{called.name}'"
        return f"{refuses}: several pipelines have that name. Give each a name of its own, or {by_id}."
    listed = json.dumps(caller.name if can_be_listed(caller.name) else str(caller.id), ensure_ascii=False)
    if callers == NO_CALLERS:
        return f"{refuses}: its definition would have to say `callable_by: [{listed}]`."
    return f"{refuses}: `callable_by` in its definition would have to list {listed}."


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


def _source(parent: Run, pipeline: Pipeline) -> Source | None:
    if parent.source is not None and parent.source.repository == (pipeline.definition.repository or ""):
        return parent.source
    return Basis.here(pipeline, NOTHING_SPECIAL).source
