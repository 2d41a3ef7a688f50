"""Which nodes' artifacts are placed into whose workspace."""

from lineshaft.model.node import Task
from lineshaft.model.tree import Tree


def file_sources(tree: Tree, index: int) -> tuple[int, ...]:
    """Tell which tasks' artifacts a task finds in its workspace.

    These are the tasks with artifacts among the nodes that it needs itself, or that a group around it needs,
    and among all that those hold. A later one of them may replace files of an earlier one.

    Args:
        tree: the run's nodes.
        index: the task's.

    Returns:
        Their indices, ascending.
    """
    needed: list[int] = []
    at: int | None = index
    while at is not None:
        needed += tree[at].needs
        at = tree[at].parent
    found: set[int] = set()
    while needed:
        place = tree[needed.pop()]
        if isinstance(place.node, Task):
            if place.node.surroundings.artifacts:
                found.add(place.index)
        else:
            needed += place.below
    return tuple(sorted(found))
