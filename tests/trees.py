"""Trees for tests: short builders, and hypothesis strategies that make any tree at all."""

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from lineshaft.model.node import Group, Node, Order, Task
from lineshaft.model.tree import Tree
from lineshaft.model.work import BuildWork, Cluster, DeployWork, RunWork, Work, WorkKind

WORK: Final[dict[WorkKind, Work]] = {
    WorkKind.RUN: RunWork("true"),
    WorkKind.BUILD: BuildWork("FROM scratch", "registry.example/shop", "latest"),
    WorkKind.DEPLOY: DeployWork({"kind": "Deployment"}, Cluster("prod", "https://prod.example", "default")),
}


DRIVER_KINDS: Final = tuple(WORK)


def task(name: str, kind: WorkKind = WorkKind.RUN, *, idempotent: bool = False) -> Task:
    """Make a task with some work of a kind."""
    return Task(name, WORK[kind], idempotent=idempotent)


def sequence(*children: Node | str, name: str = "sequence") -> Group:
    """Make a group whose children run one after the other; a string stands for a `run` task of that name."""
    return Group(name, Order.SEQUENCE, _nodes(children))


def parallel(*children: Node | str, name: str = "parallel") -> Group:
    """Make a group whose children run at once; a string stands for a `run` task of that name."""
    return Group(name, Order.PARALLEL, _nodes(children))


def _nodes(children: Sequence[Node | str]) -> tuple[Node, ...]:
    return tuple(task(child) if isinstance(child, str) else child for child in children)


def tasks() -> st.SearchStrategy[Task]:
    """Make tasks of every kind; their names are given later."""
    return st.builds(task, st.just("task"), st.sampled_from(DRIVER_KINDS), idempotent=st.booleans())


def groups(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Group]:
    """Make groups of a few children; empty ones too."""
    # A list's own choice of its length would make nearly all trees tiny.
    lists = st.sampled_from((0, 1, 2, 2, 3, 3, 4)).flatmap(
        lambda size: st.lists(children, min_size=size, max_size=size)
    )
    return st.builds(
        lambda order, nodes: Group("group", order, tuple(nodes)),
        st.sampled_from((Order.SEQUENCE, Order.PARALLEL)),
        lists,
    )


def trees(*, depth: int = 5) -> st.SearchStrategy[Tree]:
    """Make trees with groups nested up to `depth` deep."""
    nodes: st.SearchStrategy[Node] = tasks()
    for _ in range(depth - 1):
        nodes = st.one_of(tasks(), groups(nodes))
    return groups(nodes).map(lambda root: Tree(_named(root, "root")))


def _named(group: Group, name: str) -> Group:
    """Give each node a name that is unique among its siblings."""
    return Group(name, group.order, tuple(_child(child, f"n{at}") for at, child in enumerate(group.children)))


def _child(node: Node, name: str) -> Node:
    if isinstance(node, Group):
        return _named(node, name)
    return Task(name, node.work, node.timeout, node.idempotent)
