"""Trees far larger than people write: nothing recurses, and the cost of an event follows what it changes."""

from uuid import UUID

from lineshaft.engine.advance import advance
from lineshaft.engine.decision import AttemptQueued, RunEnded
from lineshaft.model.event import AttemptLeased, AttemptReported, CancelRequested, Event, RunStarted
from lineshaft.model.node import Group, Node
from lineshaft.model.run import Lease, Run
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.ports.clock import ManualClock
from trees import parallel, sequence, task
from watched_run import BY_USER, FAILED, SUCCEEDED, new_run

NOW = ManualClock().now()
LEASE = Lease("token", UUID(int=1))

WIDE = 20_000
DEEP = 2_000


class CountingIndex(int):
    """An index that counts how often any of its kind is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        CountingIndex.compared += 1
        return int(self) == other

    __hash__ = int.__hash__


class CountingTree(Tree):
    """A tree whose nodes know each other by indexes that count their comparisons."""

    def __init__(self, root: Group) -> None:
        super().__init__(root)
        for place in self.places:
            object.__setattr__(place, "index", CountingIndex(place.index))
            object.__setattr__(place, "children", tuple(CountingIndex(child) for child in place.children))


def wide(width: int = WIDE) -> tuple[Node, ...]:
    return tuple(task(f"n{at}") for at in range(width))


def deep(leaf: Node) -> Group:
    group = sequence(leaf)
    for level in range(DEEP):
        group = sequence(group, "after") if level % 2 else parallel(group, "beside")
    return group


def moved(run: Run, *events: Event) -> Run:
    for event in events:
        run = advance(run, event, NOW).run
    return run


def test_beginning_a_group_compares_its_children_a_few_times_each_however_many_they_are() -> None:
    run = new_run(CountingTree(parallel(*wide(2_000))))
    CountingIndex.compared = 0
    advance(run, RunStarted(), NOW)
    assert CountingIndex.compared < 20 * 2_000


def test_twenty_thousand_parallel_tasks_are_queued_in_their_order() -> None:
    decision = advance(new_run(Tree(parallel(*wide()))), RunStarted(), NOW)
    queued = [effect.node for effect in decision.effects if isinstance(effect, AttemptQueued)]
    assert queued == list(range(1, WIDE + 1))


def test_one_report_among_twenty_thousand_tasks_changes_one_node() -> None:
    run = moved(new_run(Tree(parallel(*wide()))), RunStarted(), AttemptLeased(7, 1, LEASE))
    decision = advance(run, AttemptReported(7, 1, LEASE.token, SUCCEEDED), NOW)
    assert decision.changed == (7,)
    assert decision.run.root.open_children == WIDE - 1


def test_twenty_thousand_queued_tasks_are_cancelled_at_once() -> None:
    run = moved(new_run(Tree(parallel(*wide()))), RunStarted())
    decision = advance(run, CancelRequested(BY_USER), NOW)
    assert {node.state for node in decision.run.nodes} == {State.CANCELLED}
    assert decision.effects[-1] == RunEnded(State.CANCELLED)


def test_twenty_thousand_tasks_behind_a_failed_one_are_skipped_at_once() -> None:
    run = moved(new_run(Tree(sequence(*wide()))), RunStarted(), AttemptLeased(1, 1, LEASE))
    decision = advance(run, AttemptReported(1, 1, LEASE.token, FAILED), NOW)
    states = [node.state for node in decision.run.nodes]
    assert states == [State.FAILED, State.FAILED, *[State.SKIPPED] * (WIDE - 1)]


def test_twenty_thousand_empty_groups_in_a_row_succeed_one_after_the_other() -> None:
    empty = tuple(sequence(name=f"n{at}") for at in range(WIDE))
    decision = advance(new_run(Tree(sequence(*empty))), RunStarted(), NOW)
    assert decision.run.state is State.SUCCEEDED
    assert [event.number for event in decision.events] == list(range(1, 2 * WIDE + 3))


def test_groups_nested_two_thousand_deep_begin_and_run_as_one() -> None:
    tree = Tree(deep(task("leaf")))
    leaf = next(place.index for place in tree.places if place.node.name == "leaf")
    run = moved(new_run(tree), RunStarted())
    decision = advance(run, AttemptLeased(leaf, 1, LEASE), NOW)
    assert decision.run.state is State.RUNNING
    assert len(decision.changed) == DEEP + 2


def test_a_failure_two_thousand_groups_deep_reaches_the_root() -> None:
    tree = Tree(deep(task("leaf")))
    leaf = next(place.index for place in tree.places if place.node.name == "leaf")
    run = moved(
        new_run(tree),
        RunStarted(),
        AttemptLeased(leaf, 1, LEASE),
        AttemptReported(leaf, 1, LEASE.token, FAILED),
        CancelRequested(BY_USER),
    )
    assert run.state is State.CANCELLED
    assert all(node.state.ended for node in run.nodes)


def test_groups_nested_two_thousand_deep_are_skipped_as_one() -> None:
    tree = Tree(sequence(task("first"), deep(task("leaf"))))
    run = moved(new_run(tree), RunStarted(), AttemptLeased(1, 1, LEASE))
    decision = advance(run, AttemptReported(1, 1, LEASE.token, FAILED), NOW)
    assert {node.state for node in decision.run.nodes} == {State.FAILED, State.SKIPPED}
    assert decision.run.state is State.FAILED
