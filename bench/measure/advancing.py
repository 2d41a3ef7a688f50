"""How fast the engine decides: runs of nodes that do nothing, through `advance` alone.

Every task is leased and reported as succeeded, in the order of the tree: two calls of `advance`, which record
three events (queued, running, succeeded). Beside it stands a loop that only builds the same records.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from lineshaft.engine.advance import advance
from lineshaft.model.event import AttemptLeased, AttemptReported, Event, RunEvent, RunStarted
from lineshaft.model.node import Group, Node, Order, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.run import Lease, Run, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import RunWork

_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LEASE: Final = Lease("token", UUID(int=1))
_SUCCEEDED: Final = Outcome(State.SUCCEEDED)
_WORK: Final = RunWork("true")
_GROUP: Final = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one run was decided.

    Attributes:
        decided: events a second that came in, each of which is one call of `advance`.
        bare: as many a second in the loop that only builds what the run records of them.
    """

    decided: float
    bare: float


def parallel(nodes: int) -> Group:
    """Hold all tasks at once."""
    return Group("parallel", Order.PARALLEL, _tasks(nodes))


def sequence(nodes: int) -> Group:
    """Have every task wait for the one before."""
    return Group("sequence", Order.SEQUENCE, _tasks(nodes))


def graph(nodes: int) -> Group:
    """Have every task need the two that stand ten and eleven before it."""
    tasks = (
        _task(at, tuple(f"t{at - back}" for back in (_GROUP, _GROUP + 1) if at >= back))
        for at in range(nodes)
    )
    return Group("graph", Order.GRAPH, tuple(tasks))


def nested(nodes: int) -> Group:
    """Hold groups in parallel of ten tasks each, which are sequences, graphs and parallel ones in turns."""
    orders = tuple(Order)
    groups: list[Node] = [
        Group(f"g{at}", orders[at % len(orders)], _tasks(_GROUP)) for at in range(nodes // (_GROUP + 1))
    ]
    return Group("nested", Order.PARALLEL, tuple(groups))


SHAPES: Final[Mapping[str, Callable[[int], Group]]] = {
    "parallel": parallel,
    "sequence": sequence,
    "graph": graph,
    "nested": nested,
}


def pace(root: Group) -> Pace:
    """Run a pipeline once through `advance`, and build its records once without."""
    tree = Tree(root)
    events = _events(tree)
    run = new_run(tree)
    gc.collect()
    begin = time.process_time()
    for event in events:
        run = advance(run, event, _NOW).run
    spent = time.process_time() - begin
    assert run.state is State.SUCCEEDED
    return Pace(len(events) / spent, len(events) / _bare_seconds(run.event_count))


def bytes_per_waiting_node(shape: Callable[[int], Group], nodes: int) -> float:
    """Measure what a run that waits holds, its definition and its tree included."""
    gc.collect()
    tracemalloc.start()
    run = new_run(Tree(shape(nodes)))
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / len(run.tree)


def new_run(tree: Tree) -> Run:
    """Give the run of a tree of which nothing has begun."""
    return Run(
        id=UUID(int=1),
        pipeline_id=UUID(int=2),
        number=1,
        definition_hash="",
        tree=tree,
        source=None,
        created_at=_NOW,
        nodes=waiting_nodes(tree),
    )


def _task(at: int, needs: tuple[str, ...] = ()) -> Task:
    return Task(f"t{at}", _WORK, needs=needs)


def _tasks(count: int) -> tuple[Node, ...]:
    return tuple(_task(at) for at in range(count))


def _events(tree: Tree) -> list[Event]:
    events: list[Event] = [RunStarted()]
    for place in tree.below_root():
        if isinstance(place.node, Task):
            events.append(AttemptLeased(place.index, 1, _LEASE))
            events.append(AttemptReported(place.index, 1, _LEASE.token, _SUCCEEDED))
    return events


def _bare_seconds(count: int) -> float:
    gc.collect()
    begin = time.process_time()
    for number in range(count):
        RunEvent(number, _NOW, 1, State.RUNNING, None, 1, None)
    return time.process_time() - begin
