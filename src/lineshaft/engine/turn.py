"""Whether a node whose turn has come is to begin."""

from collections.abc import Iterable
from typing import Final

from lineshaft.engine.counting import anything_failed_before, counts_against
from lineshaft.engine.scope import scope_of
from lineshaft.engine.step import Step
from lineshaft.expression import Scope, parse
from lineshaft.model.condition import Condition
from lineshaft.model.errors import ExpressionError
from lineshaft.model.node import Group, Order, Role
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Place

_MOST_SHOWN: Final = 200


def refusal(step: Step, place: Place) -> tuple[State, Reason] | None:
    """Tell how a node ends that is not to begin though its turn has come; None when it is to begin."""
    condition = place.node.condition
    asks = condition is not None and condition.asks_for_states
    if place.role is Role.BODY and not asks and anything_failed_before(step.tree, step.nodes, place):
        return State.SKIPPED, _failed_before(step, place)
    if condition is None:
        return None
    try:
        holds = _holds(condition, scope_of(step.run_now(), place.index), place)
    except ExpressionError as error:
        return State.FAILED, expression_failed(error)
    if holds:
        return None
    return State.SKIPPED, Reason(ReasonCode.CONDITION_FALSE, f"Its condition is false: {shown(condition)}")


def expression_failed(error: ExpressionError) -> Reason:
    """Say that an expression of a node cannot be evaluated."""
    return Reason(ReasonCode.EXPRESSION_FAILED, f"An expression of it cannot be evaluated: {error.message}")


def shown(condition: Condition) -> str:
    """Show a condition in a sentence, shortened where it is long."""
    text = " ".join(condition.expression.split())
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _holds(condition: Condition, scope: Scope, place: Place) -> bool:
    expression = parse(condition.expression)
    if condition.asks_for_states or place.role is not Role.TEARDOWN:
        return expression.holds(scope)
    # A teardown is there for failures, so its condition asks for none unless it says so.
    value = expression.value(scope)
    if not isinstance(value, bool):
        raise ExpressionError("A condition must be true or false.")
    return value


def _failed_before(step: Step, place: Place) -> Reason:
    """Say which node before a node did not succeed.

    One that was skipped for the same says it already, so that the search ends there and the words are shared.
    """
    for index in _before(step, place):
        node, state = step.nodes[index], step.nodes[index].state
        reason = node.reason
        if state is State.SKIPPED and reason and reason.code is ReasonCode.EARLIER_NODE_FAILED:
            return reason
        if counts_against(step.tree[index].node, state):
            name = step.tree[index].node.name
            return Reason(ReasonCode.EARLIER_NODE_FAILED, f"'{name}' before it did not succeed.")
    return Reason(ReasonCode.EARLIER_NODE_FAILED, "A node before it did not succeed.")


def _before(step: Step, place: Place) -> Iterable[int]:
    if place.parent is None:
        return ()
    parent = step.tree[place.parent]
    if isinstance(parent.node, Group) and parent.node.order is Order.SEQUENCE:
        return (parent.children[position] for position in range(place.position - 1, -1, -1))
    return place.needs
