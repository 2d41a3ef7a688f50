"""What groups and graphs count of their children, and how the counts follow from the states alone."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from lineshaft.model.node import Group, Node, Order, Role
from lineshaft.model.run import NodeRun
from lineshaft.model.state import State
from lineshaft.model.tree import Place, Tree
from lineshaft.model.vector import Vector

_NOTHING: Final = (0, 0, 0, 0)


def counts_against(node: Node, state: State) -> bool:
    """Whether the group around a node does not succeed when the node ended so."""
    return state.unsuccessful and not node.allow_failure


def anything_failed_before(tree: Tree, nodes: Vector[NodeRun], place: Place) -> bool:
    """Whether anything before a node failed: earlier in a sequence, or among what it needs in a graph."""
    if place.parent is None:
        return False
    match place.role, tree[place.parent].node:
        case (Role.TEARDOWN, _) | (Role.BODY, Group(order=Order.SEQUENCE)):
            return nodes[place.parent].unsuccessful_children > 0
        case Role.BODY, Group(order=Order.GRAPH):
            return nodes[place.index].failed_needs > 0
        case _:
            return False


def recounted(tree: Tree, nodes: Sequence[NodeRun]) -> Vector[NodeRun]:
    """Count anew what follows from the states of the nodes.

    Args:
        tree: the nodes' places.
        nodes: what each is at, by index; the counts in them are not looked at.

    Returns:
        The same nodes with the counts that `advance` would have given them.
    """
    failed_needs = _failed_needs(tree, nodes)
    return Vector(_recounted(place, tree, nodes, failed_needs) for place in tree.places)


def _recounted(place: Place, tree: Tree, nodes: Sequence[NodeRun], failed_needs: dict[int, int]) -> NodeRun:
    node, below = nodes[place.index], place.below
    counts = _NOTHING
    if below or place.needs:
        ended = node.state.ended
        counts = (
            _count(not nodes[child].state.ended for child in place.children),
            _count(counts_against(tree[child].node, nodes[child].state) for child in below),
            0 if ended else _count(not nodes[need].state.ended for need in place.needs),
            0 if ended else failed_needs.get(place.index, 0),
        )
    if counts == (node.open_children, node.unsuccessful_children, node.open_needs, node.failed_needs):
        return node
    open_children, against, open_needs, failed = counts
    return replace(
        node,
        open_children=open_children,
        unsuccessful_children=against,
        open_needs=open_needs,
        failed_needs=failed,
    )


def _count(answers: Iterable[bool]) -> int:
    return sum(answers)


def _failed_needs(tree: Tree, nodes: Sequence[NodeRun]) -> dict[int, int]:
    """Count, for the children of graphs, the ended needs that failed or stand behind one that did."""
    failed: dict[int, int] = {}
    for graph in tree.places:
        if not isinstance(graph.node, Group) or graph.node.order is not Order.GRAPH:
            continue
        open_needs = {child: len(tree[child].needs) for child in graph.children}
        ready = [child for child in graph.children if not open_needs[child]]
        while ready:
            place = tree[ready.pop()]
            state = nodes[place.index].state
            behind = failed.get(place.index, 0) > 0
            for dependent in place.dependents:
                if state.ended and (behind or counts_against(place.node, state)):
                    failed[dependent] = failed.get(dependent, 0) + 1
                open_needs[dependent] -= 1
                if not open_needs[dependent]:
                    ready.append(dependent)
    return failed
