"""Nodes that reach an end state."""

from typing import Final

from lineshaft.engine.counting import counts_against
from lineshaft.engine.outputs import carry_outputs, run_outputs
from lineshaft.engine.step import Chore, Step
from lineshaft.engine.turn import expression_failed
from lineshaft.model.errors import ExpressionError
from lineshaft.model.node import Role
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import NodeRun
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place

TOLD: Final = frozenset({ReasonCode.CHILD_FAILED, ReasonCode.ALLOWED_FAILURE, ReasonCode.STOPPING})
"""What a group says of itself before it has ended, which its first start does not wipe out."""

_WORDS: Final = {
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.TIMED_OUT: "ran out of time",
    State.LOST: "was lost",
}


def finish(step: Step, index: int, state: State, reason: Reason | None, exit_code: int | None = None) -> None:
    """Put a node that has begun, or a task, into its end state; what follows from it is a chore."""
    step.change(
        index,
        state=state,
        reason=reason,
        exit_code=exit_code,
        ended_at=step.now,
        lease=None,
        stop=None,
        open_needs=0,
    )
    step.chores.append((Chore.PASS_ON, index))


def refuse(step: Step, index: int, state: State, reason: Reason) -> None:
    """End a node that has not begun, with all below it; what follows from it is a chore."""
    end_unbegun(step, index, state, reason)
    step.chores.append((Chore.PASS_ON, index))


def end_unbegun(step: Step, index: int, state: State, reason: Reason) -> None:
    """End a node that has not begun, with all below it that has not ended.

    Below one that failed, since it could not even be asked whether it is to run, all is skipped.
    """
    inner = State.SKIPPED if state is State.FAILED else state
    stack = [index]
    while stack:
        place = step.tree[stack.pop()]
        if step.nodes[place.index].state.ended:
            continue
        below = place.below
        step.change(
            place.index,
            state=state if place.index == index else inner,
            reason=reason,
            ended_at=step.now,
            open_children=0,
            unsuccessful_children=_unsuccessful(step, below, inner),
            open_needs=0,
            failed_needs=0 if place.index != index else step.nodes[index].failed_needs,
        )
        stack.extend(reversed(below))


def _unsuccessful(step: Step, below: tuple[int, ...], state: State) -> int:
    return sum(
        counts_against(step.tree[child].node, state) for child in below if not step.nodes[child].state.ended
    )


def count_ended(step: Step, place: Place) -> None:
    """Have the group around a node that has just ended count it, and say what came of it."""
    if place.parent is None:
        raise TypeError("nothing is around the root")
    ended, group = step.nodes[place.index], step.nodes[place.parent]
    open_children = group.open_children - (place.role is Role.BODY)
    against = counts_against(place.node, ended.state)
    unsuccessful = group.unsuccessful_children + against
    step.count(place.parent, open_children=open_children, unsuccessful_children=unsuccessful)
    if against and unsuccessful == 1:
        _tell(step, place.parent, Reason(ReasonCode.CHILD_FAILED, _sentence(place, ended.state)))
    elif not against and not unsuccessful and _is_allowed_failure(ended):
        _tell(step, place.parent, _allowed(place, ended))


def _is_allowed_failure(ended: NodeRun) -> bool:
    if ended.state.unsuccessful:
        return True
    return ended.reason is not None and ended.reason.code is ReasonCode.ALLOWED_FAILURE


def _allowed(place: Place, ended: NodeRun) -> Reason:
    if ended.reason is not None and ended.reason.code is ReasonCode.ALLOWED_FAILURE:
        return ended.reason
    return Reason(ReasonCode.ALLOWED_FAILURE, f"{_sentence(place, ended.state)[:-1]}, which is allowed.")


def _tell(step: Step, group: int, reason: Reason) -> None:
    """Give a group a reason, unless it has one that says as much or more."""
    node = step.nodes[group]
    known = None if node.reason is None else node.reason.code
    if node.stop is None and known is not ReasonCode.CHILD_FAILED and known is not reason.code:
        step.change(group, reason=reason)


def _sentence(place: Place, state: State) -> str:
    return f"'{place.node.name}' {_WORDS[state]}."


def _rolled_up(step: Step, place: Place) -> tuple[State, Reason | None]:
    """Tell how a group ends of which everything has ended."""
    node = step.nodes[place.index]
    stop = node.stop
    if stop is not None and (stop.state is State.TIMED_OUT or _was_stopped(step, place, node)):
        return stop.state, stop.reason
    if node.unsuccessful_children:
        return State.FAILED, node.reason
    if stop is not None:
        return State.SUCCEEDED, _warning(step, place)
    warned = node.reason is not None and node.reason.code is ReasonCode.ALLOWED_FAILURE
    return State.SUCCEEDED, node.reason if warned else None


def _warning(step: Step, place: Place) -> Reason | None:
    """Look for a failure that was allowed in a group whose own words were that it is being stopped."""
    for child in place.below:
        if _is_allowed_failure(step.nodes[child]):
            return _allowed(step.tree[child], step.nodes[child])
    return None


def _was_stopped(step: Step, place: Place, node: NodeRun) -> bool:
    """Whether a stop came to something: what succeeds in spite of it has succeeded."""
    if node.unsuccessful_children:
        return True
    return any(step.nodes[child].state is State.CANCELLED for child in place.below)


def body_ended(step: Step, index: int) -> bool:
    """Whether of a begun group only the teardown can still go on."""
    setup = step.tree[index].setup
    return not step.nodes[index].open_children and (setup is None or step.nodes[setup].state.ended)


def settle(step: Step, index: int) -> None:
    """End a begun group, or have its teardown begin, when all that comes before that has ended."""
    node = step.nodes[index]
    place = step.tree[index]
    if node.state.ended or node.state is State.WAITING or not body_ended(step, index):
        return
    if place.teardown is not None and not step.nodes[place.teardown].state.ended:
        step.chores.append((Chore.BEGIN, place.teardown))
        return
    group = step.group(index)
    state, reason = _rolled_up(step, place)
    carry_outputs(step, place, group)
    if index == ROOT and state is State.SUCCEEDED and group.outputs:
        try:
            step.give_outputs(ROOT, run_outputs(step.run_now(), group))
        except ExpressionError as error:
            state, reason = State.FAILED, expression_failed(error)
    finish(step, index, state, reason)
