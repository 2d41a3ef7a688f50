"""How two places of a tree stand to each other: which has ended when the other begins."""

from enum import Enum, auto
from typing import Final

from lineshaft.model.node import Group, Order, Role
from lineshaft.model.tree import Place, Tree


class Standing(Enum):
    """Where a node is, seen from another that is about to begin."""

    BEFORE = auto()
    BESIDE = auto()
    BEHIND = auto()
    AROUND = auto()
    WITHIN = auto()


class Surveyor:
    """Finds nodes of a tree by the names that expressions use, and tells how they stand to each other."""

    def __init__(self, tree: Tree) -> None:
        """Look at a tree."""
        self._tree: Final = tree
        self._needed: Final[dict[int, int]] = {}

    def find(self, place: Place, name: str) -> Place | None:
        """Find the node that a name means at a place: among the siblings, then outwards, or by its path.

        A path that leads into nodes which a task is yet to generate means the group that they will be in.
        """
        if "/" in name:
            return self._by_path(name)
        parent = place.parent
        while parent is not None:
            around = self._tree[parent]
            found = self._tree.find(f"{around.path}/{name}" if around.path else name)
            if found is not None:
                return found
            parent = around.parent
        return self._tree.find(name) if place.parent is None else None

    def visible(self, place: Place) -> list[str]:
        """List the names that mean a node at a place."""
        names: dict[str, None] = {}
        around: Place | None = place if place.parent is None else self._tree[place.parent]
        while around is not None:
            names |= dict.fromkeys(self._tree[index].node.name for index in around.below)
            around = None if around.parent is None else self._tree[around.parent]
        return list(names)

    def standing(self, place: Place, other: Place) -> Standing:
        """Tell how another node stands to the one at a place, when that is about to begin."""
        way = self._way(place)
        if other.index in way:
            return Standing.AROUND
        branch = other
        while branch.parent is not None and branch.parent not in way:
            branch = self._tree[branch.parent]
        if branch.parent is None or branch.parent == place.index:
            return Standing.WITHIN
        return self._among_siblings(self._tree[way[branch.parent]], branch)

    def _by_path(self, path: str) -> Place | None:
        found = self._tree.find(path)
        while found is None and "/" in path:
            path = path.rpartition("/")[0]
            around = self._tree.find(path)
            if around is not None:
                generates = isinstance(around.node, Group) and around.node.generates is not None
                return around if generates else None
        return found

    def _way(self, place: Place) -> dict[int, int]:
        """Map each node around a place, and itself, to the one below it on the way there."""
        way = {place.index: place.index}
        at = place
        while at.parent is not None:
            way[at.parent] = at.index
            at = self._tree[at.parent]
        return way

    def _among_siblings(self, one: Place, other: Place) -> Standing:
        """Tell how a sibling stands to a node, by their roles and the order of their group."""
        if other.role is Role.SETUP or one.role is Role.TEARDOWN:
            return Standing.BEFORE
        if one.role is Role.SETUP or other.role is Role.TEARDOWN:
            return Standing.BEHIND
        group = self._tree[one.parent or 0].node
        order = group.order if isinstance(group, Group) else Order.SEQUENCE
        if order is Order.SEQUENCE:
            return Standing.BEFORE if other.position < one.position else Standing.BEHIND
        if order is Order.GRAPH and self._all_needs(one) >> other.position & 1:
            return Standing.BEFORE
        return Standing.BESIDE

    def _all_needs(self, place: Place) -> int:
        """Find the siblings that a node needs, at any distance, as a set of bits by their positions.

        A row of thousands of nodes would make sets of sets; bits keep that small.
        """
        way = [place.index]
        while way:
            index = way[-1]
            needs = self._tree[index].needs
            if index not in self._needed:
                # Nodes that need each other in a circle are refused elsewhere; here they need only end.
                self._needed[index] = 0
                way += [need for need in needs if need not in self._needed]
                continue
            way.pop()
            for need in needs:
                self._needed[index] |= self._needed[need] | 1 << self._tree[need].position
        return self._needed[place.index]
