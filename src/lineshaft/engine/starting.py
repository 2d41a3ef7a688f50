"""What a run begins with that goes on from an earlier one, or is for some of the nodes only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lineshaft.engine.counting import recounted
from lineshaft.model.errors import NodeNotFoundError
from lineshaft.model.node import Group, Order, Role
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import WAITING_NODE, Generated, NodeRun, Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place, Tree
from lineshaft.model.vector import Vector

_KEPT: Final = Reason(ReasonCode.KEPT, "It ended so in the run that this one goes on from.")
_NOT_SELECTED: Final = NodeRun(
    State.SKIPPED, Reason(ReasonCode.NOT_SELECTED, "The run was asked for other nodes only.")
)
_FINE: Final = frozenset({State.SUCCEEDED, State.SKIPPED})


@dataclass(frozen=True, slots=True)
class Start:
    """What a run is created with.

    Attributes:
        tree: its nodes, with those that tasks which are kept have made.
        nodes: what each is at; some have ended before the run begins.
        generated: of the tree's nodes those that were made, in the order in which they joined it.
        outputs: what the nodes that are kept have told, by index.
    """

    tree: Tree
    nodes: Vector[NodeRun]
    generated: tuple[Generated, ...] = ()
    outputs: Mapping[int, Mapping[str, str]] = field(default_factory=dict)


def kept_nodes(earlier: Run) -> Start:
    """Say what a run begins with that tries again what did not succeed in an earlier one.

    Kept is a node that succeeded with all below it. The setup and teardown of a group that did not run
    again with it, but not a task that made nodes: it is kept, and so are they.

    Args:
        earlier: the run to go on from, which has ended.
    """
    kept = _kept(earlier)
    tree, generated = _grown_again(earlier, kept)
    nodes, outputs = [], {}
    for place in tree.places:
        before = earlier.tree.find(place.path)
        if before is None or before.index not in kept or place.index == ROOT:
            nodes.append(WAITING_NODE)
            continue
        nodes.append(_as_kept(earlier.nodes[before.index]))
        if before.index in earlier.outputs:
            outputs[place.index] = earlier.outputs[before.index]
    return Start(tree, recounted(tree, nodes), generated, outputs)


def _kept(run: Run) -> set[int]:
    fine: set[int] = set()
    # Nodes are numbered behind the groups that hold them.
    for place in reversed(run.tree.places):
        if run.nodes[place.index].state in _FINE and all(child in fine for child in place.below):
            fine.add(place.index)
    kept: set[int] = set()
    for place in run.tree.places:
        if place.parent in kept or _is_kept(run, place, place.index in fine):
            kept.add(place.index)
    return kept


def _is_kept(run: Run, place: Place, fine: bool) -> bool:
    node = run.nodes[place.index]
    if node.state is State.SKIPPED:
        return node.reason is not None and node.reason.code is ReasonCode.NOT_SELECTED
    if not fine:
        return False
    return place.role is Role.BODY or _generates(run.tree, place)


def _generates(tree: Tree, place: Place) -> bool:
    if place.role is not Role.SETUP or place.parent is None:
        return False
    group = tree[place.parent].node
    return isinstance(group, Group) and group.generates is not None


def _grown_again(earlier: Run, kept: set[int]) -> tuple[Tree, tuple[Generated, ...]]:
    """Grow the tree that was written by what the tasks that are kept have made."""
    tree = Tree(earlier.tree.root)
    generated: list[Generated] = []
    for growth in earlier.generated:
        before = earlier.tree[growth.node]
        place = tree.find(before.path)
        if place is not None and before.setup in kept and isinstance(before.node, Group):
            tree = tree.grown(place.index, before.node)
            generated.append(Generated(place.index, growth.text))
    return tree, tuple(generated)


def _as_kept(node: NodeRun) -> NodeRun:
    if node.reason is not None and node.reason.code is ReasonCode.NOT_SELECTED:
        return _NOT_SELECTED
    # It took no attempt and no time of this run, whose reports would count it twice otherwise.
    return NodeRun(node.state, _KEPT, exit_code=node.exit_code, ended_at=node.ended_at)


def selected_nodes(tree: Tree, only: Iterable[str] = (), from_: str | None = None) -> Vector[NodeRun]:
    """Say what a run begins with that is for some of the nodes only; the others are skipped.

    With the chosen ones go the setups and teardowns of the groups around them.

    Args:
        tree: the run's nodes.
        only: paths of nodes to run, with all below them.
        from_: the path of a node to run with all that comes after it.

    Raises:
        NodeNotFoundError: no node has such a path.
    """
    chosen: set[int] = set()
    for path in only:
        _choose(tree, _found(tree, path).index, chosen)
    if from_ is not None:
        for index in _from(tree, _found(tree, from_)):
            _choose(tree, index, chosen)
    around = _groups_around(tree, chosen)
    for group in around:
        for hook in (group.setup, group.teardown):
            if hook is not None:
                _choose(tree, hook, chosen)
    chosen.update(group.index for group in around)
    chosen.add(ROOT)
    return recounted(tree, [WAITING_NODE if at in chosen else _NOT_SELECTED for at in range(len(tree))])


def _found(tree: Tree, path: str) -> Place:
    place = tree.find(path)
    if place is None:
        raise NodeNotFoundError(
            f"The pipeline has no node '{path}'.", advice="List its nodes with `lineshaft plan`."
        )
    return place


def _from(tree: Tree, place: Place) -> Iterator[int]:
    yield place.index
    while place.parent is not None:
        parent = tree[place.parent]
        yield from _after(tree, parent, place)
        place = parent


def _after(tree: Tree, parent: Place, place: Place) -> Iterable[int]:
    """List the children of a group that come after one node of it."""
    group = parent.node
    if place.role is Role.SETUP:
        return parent.children
    if place.role is Role.TEARDOWN or not isinstance(group, Group):
        return ()
    if group.order is Order.SEQUENCE:
        return parent.children[place.position + 1 :]
    found = dict.fromkeys(place.dependents)
    waiting = list(found)
    while waiting:
        for dependent in tree[waiting.pop()].dependents:
            if dependent not in found:
                found[dependent] = None
                waiting.append(dependent)
    return found


def _choose(tree: Tree, index: int, chosen: set[int]) -> None:
    """Choose a node with all below it; one that is chosen already is so with all below it."""
    stack = [index]
    while stack:
        place = tree[stack.pop()]
        if place.index not in chosen:
            chosen.add(place.index)
            stack.extend(place.below)


def _groups_around(tree: Tree, chosen: Iterable[int]) -> list[Place]:
    """List the groups that chosen nodes lie in, each once."""
    groups: dict[int, Place] = {}
    for index in chosen:
        parent = tree[index].parent
        while parent is not None and parent not in groups:
            groups[parent] = tree[parent]
            parent = tree[parent].parent
    return list(groups.values())
