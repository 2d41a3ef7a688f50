"""A definition's nodes as a flat table, which is what the engine walks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lineshaft.model.node import Group, Node, Task

ROOT: Final = 0


@dataclass(frozen=True, slots=True)
class Place:
    """One node's place in the tree.

    Attributes:
        index: its number in depth-first order; the root is 0.
        parent: its parent's index; None for the root.
        path: the names from below the root down to it, joined by `/`; the root's is empty.
        node: what stands there.
        children: the indexes of its children, in order; empty for a task.
        position: which child of its parent it is, from 0.
    """

    index: int
    parent: int | None
    path: str
    node: Node
    children: tuple[int, ...]
    position: int


class Tree:
    """All the places of a definition, by index and by path."""

    def __init__(self, root: Group) -> None:
        """Number the nodes below `root`, depth first."""
        self.places: Final = _places(root)
        self._by_path: Final = {place.path: place for place in self.places}

    def __len__(self) -> int:
        """Count the nodes, the root included."""
        return len(self.places)

    def __getitem__(self, index: int) -> Place:
        """Find a place by its index."""
        return self.places[index]

    def find(self, path: str) -> Place | None:
        """Find a place by its path."""
        return self._by_path.get(path)

    def below_root(self) -> Iterator[Place]:
        """Go through every node but the root, in depth-first order."""
        return iter(self.places[1:])


def _places(root: Group) -> tuple[Place, ...]:
    # An explicit stack, because a tree may be deeper than the interpreter's own.
    rows: list[tuple[int | None, str, Node, int]] = []
    children: list[list[int]] = []
    stack: list[tuple[int | None, str, Node, int]] = [(None, "", root, 0)]
    while stack:
        parent, path, node, position = stack.pop()
        index = len(rows)
        rows.append((parent, path, node, position))
        children.append([])
        if parent is not None:
            children[parent].append(index)
        match node:
            case Task():
                pass
            case Group():
                stack.extend(
                    (index, f"{path}/{child.name}" if path else child.name, child, place)
                    for place, child in reversed(list(enumerate(node.children)))
                )
    return tuple(
        Place(index, parent, path, node, tuple(children[index]), position)
        for index, (parent, path, node, position) in enumerate(rows)
    )
