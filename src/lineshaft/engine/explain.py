"""Why a node stands where it does: told from the run alone, so that it need not be stored with every node."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from lineshaft.engine.counting import counts_against
from lineshaft.engine.placing import Placement
from lineshaft.model.node import Group, Order, Role
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place

_MOST_NAMED: Final = 3
_MOST_LISTED: Final = 50
_ENDED_FROM_OUTSIDE: Final = frozenset({State.SKIPPED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that can be said about why a node is in its state.

    Attributes:
        path: the node's; empty for the run itself.
        state: where it stands.
        reason: why; None where that needs no words.
        decided_by: the path of the node around it, or its own, for which that was decided; the same as `path`
            where the reason is its own.
        condition: the condition of that node, where it has one.
        condition_held: what the condition came to; None when it was not asked, or could not be evaluated.
        waits_for: the paths of the nodes that have to end first, at most 50.
        comes_from: the paths of the nodes because of which it ended so, at most 50.
        attempts: how many attempts there were.
        losses: how many of them were lost and followed by another for that.
        placement: what a queued task waits for, where that was looked up.
    """

    path: str
    state: State
    reason: Reason | None
    decided_by: str
    condition: str | None
    condition_held: bool | None
    waits_for: tuple[str, ...]
    comes_from: tuple[str, ...]
    attempts: int
    losses: int
    placement: Placement | None = None


def reason_of(run: Run, index: int) -> Reason | None:
    """Tell why a node is in its state.

    Args:
        run: the run.
        index: the node's index; 0 asks for the run itself.

    Returns:
        The reason it was given, or what a waiting node waits for; None where a state needs no words.
    """
    node = run.nodes[index]
    if node.state is not State.WAITING or node.reason is not None:
        return node.reason
    if run.held:
        return run.root.reason
    if run.state is State.WAITING or index == ROOT:
        return Reason(ReasonCode.WAITING_FOR_EARLIER_RUN, "Waits for the pipeline's earlier run to stop.")
    held_up = _outermost_waiting(run, run.tree[index])
    return Reason(ReasonCode.WAITING_FOR_EARLIER_NODE, f"Waits for {_names(run, held_up)} to end.")


def explain(run: Run, index: int) -> Explanation:
    """Tell all that is known of why a node is in its state.

    Args:
        run: the run.
        index: the node's index; 0 asks for the run itself.
    """
    place, node = run.tree[index], run.nodes[index]
    reason = reason_of(run, index)
    decider = _decider(run, place)
    condition = decider.node.condition
    return Explanation(
        path=place.path,
        state=node.state,
        reason=reason,
        decided_by=decider.path,
        condition=None if condition is None else condition.expression,
        condition_held=None if condition is None else _held(run, decider),
        waits_for=_paths(run, _awaited(run, decider)),
        comes_from=_paths(run, _origins(run, decider)),
        attempts=node.attempt,
        losses=node.losses,
    )


def _outermost_waiting(run: Run, place: Place) -> Place:
    # The outermost node around it that waits itself is the one whose turn has to come.
    while place.parent is not None and run.nodes[place.parent].state is State.WAITING:
        place = run.tree[place.parent]
    return place


def _decider(run: Run, place: Place) -> Place:
    """Find the node for which it was decided; one that has not begun ends with the one around it."""
    node = run.nodes[place.index]
    if node.state is State.WAITING:
        return place if node.attempt else _outermost_waiting(run, place)
    while place.parent is not None and node.state in _ENDED_FROM_OUTSIDE:
        around = run.nodes[place.parent]
        if around.reason != node.reason or not around.state.ended:
            break
        place = run.tree[place.parent]
    return place


def _held(run: Run, place: Place) -> bool | None:
    node = run.nodes[place.index]
    code = None if node.reason is None else node.reason.code
    if code is ReasonCode.CONDITION_FALSE:
        return False
    begun = node.attempt > 0 or node.started_at is not None or node.state is State.QUEUED
    return True if begun else None


def _names(run: Run, place: Place) -> str:
    """Name what a node waits for: a few, and how many more."""
    awaited = list(_awaited(run, place))
    names = [f"'{run.tree[index].node.name}'" for index in awaited[:_MOST_NAMED]]
    if len(awaited) > _MOST_NAMED:
        names.append(f"{len(awaited) - _MOST_NAMED} more")
    if not names:
        return "the one before it"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _awaited(run: Run, place: Place) -> Iterable[int]:
    """List the nodes that have to end before anything can happen to a node."""
    node = run.nodes[place.index]
    if node.state.ended or node.attempt:
        return ()
    if node.state is not State.WAITING:
        return (index for index in place.below if _goes_on(run, index))
    if place.parent is None or run.nodes[place.parent].state is State.WAITING:
        return ()
    return _before(run, place, run.tree[place.parent])


def _goes_on(run: Run, index: int) -> bool:
    node = run.nodes[index]
    return not node.state.ended and (node.state is not State.WAITING or node.attempt > 0)


def _before(run: Run, place: Place, parent: Place) -> Iterable[int]:
    """List the open nodes after which a waiting child of a begun group has its turn."""

    def is_open(index: int) -> bool:
        return not run.nodes[index].state.ended

    if place.role is Role.SETUP:
        return ()
    if parent.setup is not None and is_open(parent.setup):
        return (parent.setup,)
    if place.role is Role.TEARDOWN:
        return filter(is_open, parent.children)
    if isinstance(parent.node, Group) and parent.node.order is Order.SEQUENCE:
        return (parent.children[_first_open(run, parent.children, place.position)],)
    return filter(is_open, place.needs)


def _first_open(run: Run, children: Sequence[int], position: int) -> int:
    """Find which child of a sequence goes on, before the one at a position that waits.

    Ended children come first, but for those that ended before the run began: halving nearly always finds it.
    """
    low, high = 0, position
    while low < high:
        middle = (low + high) // 2
        if run.nodes[children[middle]].state.ended:
            low = middle + 1
        else:
            high = middle
    if low < position:
        return low
    opened = (at for at in range(position) if not run.nodes[children[at]].state.ended)
    return next(opened, max(position - 1, 0))


def _origins(run: Run, place: Place) -> Iterable[int]:
    """List the nodes because of which a node is in its state."""
    node = run.nodes[place.index]
    match None if node.reason is None else node.reason.code:
        case ReasonCode.CHILD_FAILED | ReasonCode.ALLOWED_FAILURE as code:
            tells = _failed if code is ReasonCode.CHILD_FAILED else _allowed
            return (index for index in place.below if tells(run, index))
        case ReasonCode.EARLIER_NODE_FAILED:
            return _failed_before(run, place)
        case ReasonCode.SETUP_FAILED if place.parent is not None:
            return filter(None, (run.tree[place.parent].setup,))
        case ReasonCode.FAIL_FAST:
            return _failed_beside(run, place)
        case ReasonCode.GROUP_TIME_LIMIT:
            return islice((each.index for each in _around(run, place) if _over_time(run, each.index)), 1)
        case _:
            return ()


def _failed(run: Run, index: int) -> bool:
    return counts_against(run.tree[index].node, run.nodes[index].state)


def _allowed(run: Run, index: int) -> bool:
    node = run.nodes[index]
    told = node.reason is not None and node.reason.code is ReasonCode.ALLOWED_FAILURE
    return told or node.state.unsuccessful


def _over_time(run: Run, index: int) -> bool:
    node = run.nodes[index]
    return State.TIMED_OUT in (node.state, node.stop.state if node.stop is not None else None)


def _failed_before(run: Run, place: Place) -> Iterator[int]:
    parent = None if place.parent is None else run.tree[place.parent]
    if parent is None or not isinstance(parent.node, Group):
        return
    if parent.node.order is Order.SEQUENCE:
        yield from (index for index in parent.children[: place.position] if _failed(run, index))
        return
    found = set(place.needs)
    waiting = list(reversed(place.needs))
    while waiting:
        index = waiting.pop()
        if _failed(run, index):
            yield index
        for need in run.tree[index].needs:
            if need not in found:
                found.add(need)
                waiting.append(need)


def _failed_beside(run: Run, place: Place) -> Iterator[int]:
    for around in (place, *_around(run, place)):
        parent = None if around.parent is None else run.tree[around.parent]
        if parent is not None and isinstance(parent.node, Group) and parent.node.fail_fast:
            for index in parent.children:
                reason = run.nodes[index].reason
                if _failed(run, index) and (reason is None or reason.code is not ReasonCode.FAIL_FAST):
                    yield index
            return


def _around(run: Run, place: Place) -> Iterator[Place]:
    while place.parent is not None:
        place = run.tree[place.parent]
        yield place


def _paths(run: Run, indexes: Iterable[int]) -> tuple[str, ...]:
    return tuple(run.tree[index].path for index in islice(indexes, _MOST_LISTED))
