"""Trees for tests: short builders, and hypothesis strategies that make any tree at all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st

from lineshaft.model.condition import Condition
from lineshaft.model.node import Group, Node, Order, Task
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import (
    BuildWork,
    Cluster,
    DeployWork,
    DriverWork,
    PipelineWork,
    RunWork,
    Work,
    WorkKind,
)

WORK: Final[dict[WorkKind, Work]] = {
    WorkKind.RUN: RunWork("true"),
    WorkKind.BUILD: BuildWork("FROM scratch", "registry.example/shop", "latest"),
    WorkKind.DEPLOY: DeployWork({"kind": "Deployment"}, Cluster("prod", "https://prod.example", "default")),
}


DRIVER_KINDS: Final = tuple(WORK)

IDEMPOTENT: Final = st.sampled_from((None, True, False))
"""What a task may say of beginning again."""


def task(name: str, kind: WorkKind = WorkKind.RUN, **fields: Any) -> Task:
    """Make a task with some work of a kind; the fields are those of `Task`."""
    return Task(name, WORK[kind], **fields)


def driven(name: str, driver: str = "compile", **fields: Any) -> Task:
    """Make a task for a driver that somebody has written; the fields are those of `Task`."""
    return Task(name, DriverWork(driver), **fields)


def sequence(*children: Node | str, name: str = "sequence", **fields: Any) -> Group:
    """Make a group whose children run one after the other; a string stands for a `run` task of that name."""
    return Group(name, Order.SEQUENCE, _nodes(children), **fields)


def parallel(*children: Node | str, name: str = "parallel", **fields: Any) -> Group:
    """Make a group whose children run at once; a string stands for a `run` task of that name."""
    return Group(name, Order.PARALLEL, _nodes(children), **fields)


def _nodes(children: Sequence[Node | str]) -> tuple[Node, ...]:
    return tuple(task(child) if isinstance(child, str) else child for child in children)


def tasks() -> st.SearchStrategy[Task]:
    """Make tasks of every kind; their names are given later."""
    return st.builds(Task, st.just("task"), st.sampled_from(list(WORK.values())), idempotent=IDEMPOTENT)


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


def call(name: str, pipeline: str = "other") -> Task:
    """Make a task that calls another pipeline."""
    return Task(name, PipelineWork(pipeline))


def graph(*children: Node | str, name: str = "graph", **fields: Any) -> Group:
    """Make a group whose children run by what they need; a string stands for a `run` task of that name."""
    return Group(name, Order.GRAPH, _nodes(children), **fields)


CONDITIONS: Final = (
    *(None,) * 8,
    Condition("true"),
    Condition("false"),
    Condition("1 / 0 == 1"),
    Condition("always()", asks_for_states=True),
    Condition("failed()", asks_for_states=True),
    Condition("succeeded()", asks_for_states=True),
)
"""What a node may ask before it begins; mostly nothing."""

RETRIES: Final = (
    *(None,) * 3,
    Retry(1),
    Retry(2, backoff=timedelta(seconds=20)),
    Retry(1, frozenset({State.LOST, State.FAILED})),
    Retry(1, frozenset(), frozenset({1})),
)


def any_trees(*, depth: int = 4, fail_fast: bool = True, limits: bool = True) -> st.SearchStrategy[Tree]:
    """Make trees that use all that the language has.

    Args:
        depth: how deep groups nest.
        fail_fast: whether groups may stop at the first failure, which makes states depend on who is first.
        limits: whether groups may have time limits.
    """
    nodes: st.SearchStrategy[Node] = _any_tasks()
    for _ in range(depth - 1):
        nodes = st.one_of(_any_tasks(), _any_groups(nodes, fail_fast=fail_fast, limits=limits))
    roots = _any_groups(nodes, fail_fast=fail_fast, limits=limits)
    return roots.map(lambda root: Tree(replace(root, name="root", condition=None, needs=())))


def _any_tasks() -> st.SearchStrategy[Task]:
    return st.builds(
        Task,
        st.just("task"),
        st.sampled_from((*WORK.values(), WORK[WorkKind.RUN], PipelineWork("other"), DriverWork("compile"))),
        timeout=st.sampled_from((None, timedelta(minutes=1))),
        idempotent=IDEMPOTENT,
        condition=st.sampled_from(CONDITIONS),
        allow_failure=st.sampled_from((False, False, False, True)),
        retry=st.sampled_from(RETRIES),
    )


@st.composite
def _any_groups(
    draw: st.DrawFn, children: st.SearchStrategy[Node], *, fail_fast: bool, limits: bool
) -> Group:
    size = draw(st.sampled_from((0, 1, 2, 2, 3, 3, 4)))
    order = draw(st.sampled_from(Order))
    body = [replace(draw(children), name=f"n{at}", needs=()) for at in range(size)]
    if order is Order.GRAPH:
        body = [
            _needing(child, draw(st.sets(st.integers(0, size), max_size=2)), at)
            for at, child in enumerate(body)
        ]
        body = draw(st.permutations(body))
    setup = draw(st.none() | children)
    teardown = draw(st.none() | children)
    return Group(
        "group",
        order,
        tuple(body),
        setup=None if setup is None else replace(setup, name="setup", needs=()),
        teardown=None if teardown is None else replace(teardown, name="teardown", needs=()),
        timeout=timedelta(minutes=1) if limits and draw(st.booleans()) else None,
        condition=draw(st.sampled_from(CONDITIONS)),
        allow_failure=draw(st.sampled_from((False, False, False, True))),
        fail_fast=fail_fast and draw(st.booleans()),
    )


def _needing(node: Node, needs: set[int], at: int) -> Node:
    return replace(node, needs=tuple(f"n{need}" for need in sorted(needs) if need < at))
