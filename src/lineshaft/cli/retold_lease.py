"""The lease of a task, put together again by what the API tells of its run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lineshaft.model.errors import NodeNotFoundError

if TYPE_CHECKING:
    from lineshaft.model.tree import Tree
    from lineshaft.sdk.run import RunView
    from lineshaft.wire.worker import LeaseMessage


def retold_lease(run: "RunView", tree: "Tree", path: str) -> "LeaseMessage":
    """Say what a worker would be told of a task.

    Args:
        run: as the API tells of it.
        tree: its nodes.
        path: the task's.

    Raises:
        NodeNotFoundError: there is no such task.
    """
    from lineshaft.model.attempt import AttemptAddress
    from lineshaft.model.cause import Cause
    from lineshaft.model.node import Task
    from lineshaft.model.run import Run, Source, waiting_nodes
    from lineshaft.model.vector import Vector
    from lineshaft.services.fleet.leases import lease_message

    place = tree.find(path)
    if place is None or not isinstance(place.node, Task):
        raise NodeNotFoundError(
            f"The definition of run {run.number} has no task '{path}'.",
            advice="`lineshaft show` tells the paths; nodes that a task has made cannot be opened.",
        )
    of_path = {each.path: each for each in run.nodes}
    nodes = list(waiting_nodes(tree))
    outputs: dict[int, Mapping[str, str]] = {}
    for each in tree.below_root():
        told = of_path.get(each.path)
        if told is not None:
            nodes[each.index] = replace(nodes[each.index], state=told.state, exit_code=told.exit_code)
            outputs[each.index] = told.outputs
    source = run.source
    rebuilt = Run(
        id=run.id,
        pipeline_id=run.pipeline_id,
        number=run.number,
        definition_hash="",
        tree=tree,
        source=None
        if source is None
        else Source(source.repository or "", source.commit, source.ref, source.branch, source.tag),
        created_at=run.created_at,
        nodes=Vector(nodes),
        inputs=run.inputs,
        cause=Cause(run.cause),
        outputs=outputs,
    )
    attempt = max(1, of_path[path].attempt if path in of_path else 1)
    return lease_message(rebuilt, AttemptAddress(run.id, place.index, attempt), "none")
