"""A definition's nodes as a flat table, which is what the engine walks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lineshaft.model.node import Group, Node, Order, Role, Task

ROOT: Final = 0


@dataclass(frozen=True, slots=True)
class Place:
    """One node's place in the tree.

    Attributes:
        index: its number; the root is 0. Nodes that were written are numbered depth first, generated ones
            behind them.
        parent: its parent's index; None for the root.
        path: the names from below the root down to it, joined by `/`; the root's is empty.
        node: what stands there.
        children: the indexes of its body, in order; empty for a task.
        position: which child of its parent's body it is, from 0; 0 for a setup and a teardown.
        role: what it is to its parent.
        setup: the index of its setup; None where it has none.
        teardown: the index of its teardown; None where it has none.
        needs: in a graph, the indexes of the siblings that must have ended before.
        dependents: in a graph, the indexes of the siblings that need it.
    """

    index: int
    parent: int | None
    path: str
    node: Node
    children: tuple[int, ...] = ()
    position: int = 0
    role: Role = Role.BODY
    setup: int | None = None
    teardown: int | None = None
    needs: tuple[int, ...] = ()
    dependents: tuple[int, ...] = ()

    @property
    def below(self) -> tuple[int, ...]:
        """The indexes of all nodes directly below it: setup, body, teardown."""
        if self.setup is None and self.teardown is None:
            return self.children
        setup = () if self.setup is None else (self.setup,)
        teardown = () if self.teardown is None else (self.teardown,)
        return (*setup, *self.children, *teardown)


class Tree:
    """All the places of a definition, by index and by path."""

    def __init__(self, root: Group, *, places: tuple[Place, ...] | None = None) -> None:
        """Number the nodes below `root`, depth first, unless their places are known."""
        if places is None:
            places = tuple(_numbered(_Seat(0, None, "", root, 0, Role.BODY)))
        self.root: Final = root
        self.places: Final = places
        self._by_path: Final = {place.path: place.index for place in places}

    def __len__(self) -> int:
        """Count the nodes, the root included."""
        return len(self.places)

    def __getitem__(self, index: int) -> Place:
        """Find a place by its index."""
        return self.places[index]

    def find(self, path: str) -> Place | None:
        """Find a place by its path."""
        index = self._by_path.get(path)
        return None if index is None else self.places[index]

    def below_root(self) -> Iterator[Place]:
        """Go through every node but the root, by index."""
        return iter(self.places[1:])

    def grown(self, index: int, body: Group) -> "Tree":
        """Return a tree in which a group that had no body has that of another group.

        Args:
            index: of the group, which keeps all of its own but order and `fail_fast`.
            body: whose order, `fail_fast` and children it takes; they are numbered behind all that there are.
        """
        place = self.places[index]
        group = place.node
        if not isinstance(group, Group) or place.children:
            raise ValueError(f"node {index} cannot be given children")
        grown = replace(group, order=body.order, fail_fast=body.fail_fast, children=body.children)
        places = list(self.places)
        children = []
        for position, child in enumerate(body.children):
            children.append(len(places))
            path = f"{place.path}/{child.name}" if place.path else child.name
            places += _numbered(_Seat(len(places), index, path, child, position, Role.BODY))
        places[index] = replace(place, node=grown, children=tuple(children))
        _link_needs(places, places[index])
        return Tree(self.root, places=tuple(places))


@dataclass(slots=True)
class _Seat:
    """A place that is being made."""

    index: int
    parent: int | None
    path: str
    node: Node
    position: int
    role: Role


def _numbered(first: _Seat) -> list[Place]:
    """Number a node and all below it, depth first, from the first one's index."""
    # An explicit stack, because a tree may be deeper than the interpreter's own.
    seats: list[_Seat] = []
    below: list[list[_Seat]] = []
    stack = [first]
    while stack:
        seat = stack.pop()
        seat.index = first.index + len(seats)
        seats.append(seat)
        inner = _seats_below(seat)
        below.append(inner)
        stack.extend(reversed(inner))
    places = [_place(seat, inner) for seat, inner in zip(seats, below, strict=True)]
    for place in places:
        if isinstance(place.node, Group) and place.node.order is Order.GRAPH:
            _link_needs(places, place, first.index)
    return places


def _seats_below(seat: _Seat) -> list[_Seat]:
    match seat.node:
        case Task():
            return []
        case Group(setup=setup, children=children, teardown=teardown):
            rows: list[tuple[Node, int, Role]] = []
            if setup is not None:
                rows.append((setup, 0, Role.SETUP))
            rows += [(child, position, Role.BODY) for position, child in enumerate(children)]
            if teardown is not None:
                rows.append((teardown, 0, Role.TEARDOWN))
            path = f"{seat.path}/" if seat.path else ""
            # The parent's index is known by now; their own are given when it is their turn.
            return [
                _Seat(0, seat.index, f"{path}{node.name}", node, position, role)
                for node, position, role in rows
            ]


def _place(seat: _Seat, below: Sequence[_Seat]) -> Place:
    def only(role: Role) -> int | None:
        return next((each.index for each in below if each.role is role), None)

    return Place(
        index=seat.index,
        parent=seat.parent,
        path=seat.path,
        node=seat.node,
        children=tuple(each.index for each in below if each.role is Role.BODY),
        position=seat.position,
        role=seat.role,
        setup=only(Role.SETUP) if below else None,
        teardown=only(Role.TEARDOWN) if below else None,
    )


def _link_needs(places: list[Place], group: Place, first: int = 0) -> None:
    """Tell the children of a graph whom they need and who needs them; names of no sibling are passed over.

    Args:
        places: where the children stand, in their order.
        group: the graph.
        first: the index of the first of these places.
    """
    by_name = {places[index - first].node.name: index for index in group.children}
    dependents: dict[int, list[int]] = {}
    needs: dict[int, tuple[int, ...]] = {}
    for index in group.children:
        names = dict.fromkeys(places[index - first].node.needs)
        needs[index] = tuple(by_name[name] for name in names if name in by_name)
        for need in needs[index]:
            dependents.setdefault(need, []).append(index)
    for index in group.children:
        if needs[index] or index in dependents:
            at = index - first
            places[at] = replace(places[at], needs=needs[index], dependents=tuple(dependents.get(index, ())))
