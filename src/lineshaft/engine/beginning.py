"""Nodes whose turn has come."""

from typing import assert_never

from lineshaft.engine.attempts import begin_attempt
from lineshaft.engine.counting import counts_against
from lineshaft.engine.decision import RunEnded
from lineshaft.engine.ending import count_ended, end_unbegun, refuse, settle
from lineshaft.engine.step import QUEUED_REASON, Chore, Step
from lineshaft.engine.stopping import stop_siblings
from lineshaft.engine.turn import refusal
from lineshaft.engine.withholding import withheld
from lineshaft.model.node import Group, Order, Role, Task
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Place


def do_chores(step: Step) -> None:
    """Do all that follows from what has changed, and what follows from that, until nothing more does."""
    while step.chores:
        chore, index = step.chores.pop()
        match chore:
            case Chore.BEGIN:
                begin(step, index)
            case Chore.PASS_ON:
                _pass_on(step, index)
            case Chore.SETTLE:
                settle(step, index)
            case _:
                assert_never(chore)


def begin(step: Step, index: int) -> None:
    """Let a node begin: offer a task to the workers, or open a group. One that has begun is left alone."""
    node = step.nodes[index]
    if node.state is not State.WAITING or node.attempt:
        return
    place = step.tree[index]
    refused = refusal(step, place)
    if refused is not None:
        refuse(step, index, *refused)
        return
    match place.node:
        case Task() as task:
            reason = withheld(task) if step.before.untrusted else None
            if reason is None:
                begin_attempt(step, index)
            else:
                refuse(step, index, State.FAILED, reason)
        case Group():
            step.change(index, state=State.QUEUED, reason=QUEUED_REASON)
            if place.setup is None or step.nodes[place.setup].state.ended:
                _begin_body(step, place)
            else:
                step.chores.append((Chore.BEGIN, place.setup))
        case _:
            assert_never(place.node)


def _begin_body(step: Step, place: Place) -> None:
    """Let the children begin that wait for no other; where none is open, the group is done with them."""
    match step.group(place.index).order:
        case Order.SEQUENCE:
            _begin_next(step, place, 0)
        case Order.PARALLEL:
            step.chores += [(Chore.BEGIN, child) for child in reversed(place.children)]
        case Order.GRAPH:
            step.chores += [
                (Chore.BEGIN, child) for child in reversed(place.children) if not step.nodes[child].open_needs
            ]
        case other:
            assert_never(other)
    settle(step, place.index)


def _begin_next(step: Step, sequence: Place, position: int) -> None:
    """Let the next child of a sequence begin; those that ended beforehand are passed over."""
    for at in range(position, len(sequence.children)):
        child = sequence.children[at]
        if not step.nodes[child].state.ended:
            step.chores.append((Chore.BEGIN, child))
            return


def _pass_on(step: Step, index: int) -> None:
    """Do what follows for others from the end of a node."""
    place = step.tree[index]
    node = step.nodes[index]
    if place.parent is None:
        step.effects.append(RunEnded(node.state))
        return
    count_ended(step, place)
    around = step.tree[place.parent]
    match place.role:
        case Role.SETUP:
            _leave_setup(step, place, around)
        case Role.BODY:
            _leave_child(step, place, around)
        case Role.TEARDOWN:
            pass
        case _:
            assert_never(place.role)
    settle(step, around.index)


def _leave_setup(step: Step, setup: Place, around: Place) -> None:
    if not counts_against(setup.node, step.nodes[setup.index].state):
        _begin_body(step, around)
        return
    reason = Reason(ReasonCode.SETUP_FAILED, f"'{setup.node.name}' before it did not succeed.")
    for child in around.children:
        if not step.nodes[child].state.ended:
            end_unbegun(step, child, State.SKIPPED, reason)
    step.count(around.index, open_children=0)


def _leave_child(step: Step, child: Place, around: Place) -> None:
    group = step.group(around.index)
    node = step.nodes[child.index]
    match group.order:
        case Order.SEQUENCE:
            _begin_next(step, around, child.position + 1)
            return
        case Order.GRAPH:
            _release_dependents(step, child)
        case Order.PARALLEL:
            pass
        case _:
            assert_never(group.order)
    first = step.nodes[around.index].unsuccessful_children == 1
    if first and group.fail_fast and counts_against(child.node, node.state):
        stop_siblings(step, around, child)


def _release_dependents(step: Step, child: Place) -> None:
    """Tell the children of a graph that need one that it has ended, and let those begin that need no more."""
    node = step.nodes[child.index]
    failed = node.failed_needs > 0 or counts_against(child.node, node.state)
    if node.failed_needs:
        step.count(child.index, failed_needs=0)
    for index in reversed(child.dependents):
        dependent = step.nodes[index]
        if dependent.state.ended:
            continue
        open_needs = dependent.open_needs - 1
        step.count(index, open_needs=open_needs, failed_needs=dependent.failed_needs + failed)
        if not open_needs:
            step.chores.append((Chore.BEGIN, index))
