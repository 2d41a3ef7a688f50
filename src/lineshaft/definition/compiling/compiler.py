"""From checked documents to nodes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from lineshaft.definition.compiling.around import GROUP, TASK, Around, Aspect, Keys, Origin
from lineshaft.definition.compiling.fragment import Fragment, given_inputs
from lineshaft.definition.compiling.level import Level
from lineshaft.definition.compiling.matrix import axes_of, combination_name, combinations
from lineshaft.definition.compiling.task import condition_of, leaf, time_of
from lineshaft.model.changed import changed
from lineshaft.model.errors import InputTooLargeError
from lineshaft.model.node import DEFAULT_TEARDOWN_TIMEOUT, Group, Node, Order, Role, Task
from lineshaft.model.value import Bindings

NODES_LIMIT: Final = 20_000
"""How many nodes a tree may hold, the root included."""

DEPTH_LIMIT: Final = 100
"""How many nodes may lie within each other, the root included."""

_AnyNode = TypeVar("_AnyNode", bound=Node)


class Compiler:
    """Makes nodes; what a matrix or a fragment repeats shares its parts.

    Attributes:
        origins: what each node was written as, by the node's identity; empty unless traced.
    """

    def __init__(
        self,
        fragments: Mapping[str, Fragment],
        *,
        nodes_limit: int = NODES_LIMIT,
        depth: int = 1,
        traced: bool = False,
    ) -> None:
        """Begin with nothing.

        Args:
            fragments: all that `use` may name, by path.
            nodes_limit: how many nodes may be made.
            depth: how deep the first of them lies in the whole tree, which begins at 1.
            traced: whether to keep where nodes come from.
        """
        self.origins: Final[dict[int, list[Origin]]] = {}
        self._traced: Final = traced
        self._fragments: Final = fragments
        self._nodes_limit: Final = nodes_limit
        self._nodes = 0
        self._depth = depth
        self._leaves: Final[dict[tuple[int, int, Role], Task]] = {}
        self._levels: Final[dict[tuple[int, int, bool], Level]] = {}

    def whole(self, name: str, keys: Keys, around: Around) -> Group:
        """Make the group of a whole document: a pipeline or generated nodes.

        Args:
            name: of the group.
            keys: the document's.
            around: what stands around it.

        Raises:
            InputTooLargeError: the nodes are too many, or too deep.
        """
        self._count()
        inner = changed(around, level=self._within(around.level, keys))
        group = Group(
            name=name,
            order=_order(keys),
            children=self._children(keys["steps"], inner),
            setup=self._hook("setup", keys, inner),
            teardown=self._hook("teardown", keys, inner),
            timeout=time_of(keys.get("timeout")),
            fail_fast=keys.get("fail_fast", False),
            outputs=keys.get("outputs", {}),
            metadata=keys.get("metadata", {}),
            bindings=around.bindings,
        )
        return self._trace(group, keys, around, Aspect.WHOLE)

    def _children(self, steps: Sequence[Keys], around: Around) -> tuple[Node, ...]:
        return tuple(
            [
                self._node(step, step["name"], around.at("steps", index), Role.BODY)
                for index, step in enumerate(steps)
            ]
        )

    def _hook(self, key: str, keys: Keys, around: Around) -> Node | None:
        if key not in keys:
            return None
        role = Role.TEARDOWN if key == "teardown" else Role.SETUP
        return self._node(keys[key], key, around.at(key), role)

    def _node(self, keys: Keys, name: str, around: Around, role: Role) -> Node:
        """Make what one step says."""
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise InputTooLargeError(f"The nodes of a definition nest at most {DEPTH_LIMIT} deep.")
        made = self._matrix if "matrix" in keys else self._one
        node = made(keys, name, around, role)
        self._depth -= 1
        return node

    def _matrix(self, keys: Keys, name: str, around: Around, role: Role) -> Group:
        """Make the group in which a step stands once for each combination."""
        self._count()
        self._depth += 1
        axes = around.axes | axes_of(keys["matrix"]).keys()
        axes |= {axis for included in keys["matrix"].get("include", ()) for axis in included}
        instances = []
        for combination in combinations(keys["matrix"]):
            bindings = changed(around.bound, matrix={**around.bound.matrix, **combination})
            here = changed(around, bindings=bindings, axes=axes)
            instances.append(self._one(keys, combination_name(combination), here, role, with_needs=False))
        self._depth -= 1
        group = Group(
            name=name,
            order=Order.PARALLEL,
            children=tuple(instances),
            needs=tuple(keys.get("needs", ())),
            fail_fast=keys.get("fail_fast", False),
            bindings=around.bindings,
        )
        return self._trace(group, keys, around, Aspect.NONE)

    def _one(self, keys: Keys, name: str, around: Around, role: Role, *, with_needs: bool = True) -> Node:
        """Make one node of a step, without its matrix."""
        self._count()
        placed = {
            "name": name,
            "condition": condition_of(keys.get("if")),
            "needs": tuple(keys.get("needs", ())) if with_needs else (),
            "allow_failure": keys.get("allow_failure", False),
            "bindings": around.bindings,
        }
        aspect = Aspect.CONDITION
        if "steps" in keys or "use" in keys:
            aspect = GROUP
            node: Node = changed(self._group(keys, name, around, role), **placed)
        elif "setup" in keys or "teardown" in keys:
            node = changed(self._wrapped(keys, name, around, role), **placed)
        elif "generates" in keys:
            node = changed(self._generating(keys, name, around, role), **placed)
        else:
            aspect = TASK
            node = self._leaf(keys, around.level, role, **placed)
        if "use" in keys and self._traced:
            self._trace(node, *self._fragment(keys, around), Aspect.WHOLE)
        return self._trace(node, keys, around, aspect)

    def _group(self, keys: Keys, name: str, around: Around, role: Role) -> Group:
        own = changed(around, level=self._within(around.level, keys))
        setup = self._hook("setup", keys, own)
        teardown = self._hook("teardown", keys, own)
        body, inner = keys, own
        if "use" in keys:
            body, inner = self._fragment(keys, own)
            setup = setup or self._hook("setup", body, inner)
            teardown = teardown or self._hook("teardown", body, inner)
        return Group(
            name=name,
            order=_order(body),
            children=self._children(body["steps"], inner),
            setup=setup,
            teardown=teardown,
            timeout=time_of(keys.get("timeout")) or _teardown_timeout(role),
            fail_fast=keys.get("fail_fast", False) or body.get("fail_fast", False),
            bindings=around.bindings,
        )

    def _fragment(self, keys: Keys, own: Around) -> tuple[Keys, Around]:
        """Find the fragment that a node uses, and what stands around the nodes in it."""
        fragment = self._fragments[keys["use"]]
        return fragment.keys, Around(
            level=self._within(own.level, fragment.keys),
            bindings=Bindings(inputs=given_inputs(fragment, keys.get("with", {})), outer=own.bound),
            site=fragment.site if self._traced else None,
            inputs=frozenset(fragment.keys.get("inputs", ())),
        )

    def _wrapped(self, keys: Keys, name: str, around: Around, role: Role) -> Group:
        """Make the group of a task that has a setup or teardown."""
        self._count()
        if "generates" in keys:
            body: Node = self._generating(keys, None, around, role)
        else:
            body = self._leaf(keys, around.level, role, bindings=around.bindings)
            body = self._trace(body, keys, around, Aspect.WORK)
        # The task's own `retry` is for nothing but the task.
        inner = changed(around, level=self._within(around.level, keys, retry=False))
        return Group(
            name=name,
            order=Order.SEQUENCE,
            children=(body,),
            setup=self._hook("setup", keys, inner),
            teardown=self._hook("teardown", keys, inner),
            carries_outputs=True,
            bindings=around.bindings,
        )

    def _generating(self, keys: Keys, name: str | None, around: Around, role: Role) -> Group:
        """Make the group of a task that makes its children; without a name it is called by its kind."""
        self._count()
        task = self._leaf(keys, around.level, role, bindings=around.bindings)
        task = self._trace(task, keys, around, Aspect.WORK)
        group = Group(
            name=name or task.name,
            order=Order.SEQUENCE,
            children=(),
            setup=task,
            carries_outputs=True,
            generates=keys["generates"],
            bindings=around.bindings,
        )
        return self._trace(group, keys, around, Aspect.NONE)

    def _leaf(self, keys: Keys, level: Level, role: Role, **placed: Any) -> Task:
        if placed.get("bindings") is None:
            return leaf(keys, level, role, **placed)
        # Where something is bound, a matrix or several uses of a fragment may repeat it.
        known = (id(keys), id(level), role)
        task = self._leaves.get(known)
        if task is None:
            task = self._leaves[known] = leaf(keys, level, role)
        return changed(task, **placed)

    def _within(self, level: Level, keys: Keys, *, retry: bool = True) -> Level:
        known = (id(keys), id(level), retry)
        inner = self._levels.get(known)
        if inner is None:
            inner = self._levels[known] = level.within(keys, retry=retry)
        return inner

    def _trace(self, node: _AnyNode, keys: Keys, around: Around, aspect: Aspect) -> _AnyNode:
        if self._traced and around.site is not None:
            self.origins.setdefault(id(node), []).append(Origin(node, keys, around, aspect))
        return node

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > self._nodes_limit:
            raise InputTooLargeError(f"A definition holds at most {NODES_LIMIT:,} nodes.")


def _order(keys: Keys) -> Order:
    if any("needs" in step for step in keys["steps"]):
        return Order.GRAPH
    return Order.PARALLEL if keys.get("parallel", False) else Order.SEQUENCE


def _teardown_timeout(role: Role) -> timedelta | None:
    return DEFAULT_TEARDOWN_TIMEOUT if role is Role.TEARDOWN else None
