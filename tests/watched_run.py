"""A run that is watched: every event goes through `advance`, and every promise of the engine is checked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from lineshaft.engine.advance import advance
from lineshaft.engine.decision import (
    AttemptEnded,
    AttemptQueued,
    AttemptStopping,
    Decision,
    Effect,
    RunEnded,
)
from lineshaft.engine.explain import reason_of
from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    CancelRequested,
    Event,
    RunEvent,
    RunStarted,
)
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Lease, NodeRun, Run, Source, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import Place, Tree
from lineshaft.model.work import WorkKind, kind_of
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import CountingIds

SUCCEEDED = Outcome(State.SUCCEEDED, exit_code=0)
FAILED = Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "Exited with 1."), 1)
TIMED_OUT = Outcome(State.TIMED_OUT, Reason(ReasonCode.TIME_LIMIT, "Took longer than a minute."))
STOPPED = Outcome(State.CANCELLED, Reason(ReasonCode.SIGNAL, "Was told to stop."), 143)
OUTCOMES = (SUCCEEDED, FAILED, TIMED_OUT, STOPPED)

BY_USER = Reason(ReasonCode.CANCELLED_BY_USER, "admin cancelled it.")

Attempt = tuple[int, int]
"""A node's index, and which attempt."""


def new_run(tree: Tree) -> Run:
    """Make a run of a tree in which nothing has begun."""
    return Run(
        id=UUID(int=1),
        pipeline_id=UUID(int=2),
        number=1,
        definition_hash="0" * 64,
        tree=tree,
        source=Source("https://git.example/shop.git"),
        created_at=ManualClock().now(),
        nodes=waiting_nodes(tree),
    )


@dataclass(slots=True)
class ShadowQueue:
    """What a store knows of a run's attempts from the effects alone.

    Attributes:
        queued: attempts that a worker may claim.
        leased: attempts that a worker holds, with its lease.
        ended: attempts that are over.
        stopping: attempts whose worker has been told to stop.
        run_ended: how the run ended, once it has.
    """

    queued: set[Attempt]
    leased: dict[Attempt, Lease]
    ended: set[Attempt]
    stopping: set[Attempt]
    run_ended: State | None = None

    def apply(self, effect: Effect) -> None:
        """Do what an effect says, and refuse what cannot be."""
        assert self.run_ended is None, "nothing follows the end of the run"
        match effect:
            case AttemptQueued(node=node, attempt=attempt):
                assert (node, attempt) not in self.queued | self.ended | set(self.leased)
                assert attempt == 1 or (node, attempt - 1) in self.ended
                self.queued.add((node, attempt))
            case AttemptStopping(node=node, attempt=attempt, lease=lease):
                assert self.leased[node, attempt] == lease
                assert (node, attempt) not in self.stopping
                self.stopping.add((node, attempt))
            case AttemptEnded(node=node, attempt=attempt, state=state):
                assert state.ended
                assert ((node, attempt) in self.queued) != ((node, attempt) in self.leased)
                self.queued.discard((node, attempt))
                self.leased.pop((node, attempt), None)
                self.stopping.discard((node, attempt))
                self.ended.add((node, attempt))
            case RunEnded(state=state):
                self.run_ended = state
            case _:
                pass


class WatchedRun:
    """A run, moved by methods that read like what happens, and checked after each event.

    Attributes:
        clock: gives each event a second of its own.
        ids: makes tokens and workers.
        run: as the last event left it.
        queue: the attempts, as the effects tell of them.
        history: what the run has recorded.
        sent: all events, in order.
        taken: those of them that had a consequence.
    """

    def __init__(self, tree: Tree) -> None:
        """Begin with a run in which nothing has begun."""
        self.clock = ManualClock()
        self.ids = CountingIds()
        self.run = new_run(tree)
        self.queue = ShadowQueue(set(), {}, set(), set())
        self.history: list[RunEvent] = []
        self.sent: list[Event] = []
        self.taken: list[Event] = []

    def start(self) -> Decision:
        """Let the run begin."""
        return self.send(RunStarted())

    def lease(self, path: str) -> Lease:
        """Let a worker claim the queued attempt of the task at a path."""
        place = self.place(path)
        attempt = self.run.nodes[place.index].attempt
        lease = self.new_lease()
        self.send(AttemptLeased(place.index, attempt, lease))
        return lease

    def new_lease(self) -> Lease:
        """Make a lease that no attempt has yet."""
        return Lease(self.ids.new_token(), self.ids.new_id())

    def report(self, path: str, outcome: Outcome) -> Decision:
        """Let the worker that holds the task at a path report."""
        index, node = self._leased(path)
        assert node.lease is not None
        return self.send(AttemptReported(index, node.attempt, node.lease.token, outcome))

    def lose(self, path: str) -> Decision:
        """Let the lease on the task at a path run out."""
        index, node = self._leased(path)
        assert node.lease is not None
        return self.send(AttemptLost(index, node.attempt, node.lease.token))

    def do(self, path: str, outcome: Outcome) -> Decision:
        """Let a worker claim the task at a path and report."""
        self.lease(path)
        return self.report(path, outcome)

    def cancel(self, reason: Reason = BY_USER) -> Decision:
        """Let someone cancel the run."""
        return self.send(CancelRequested(reason))

    def send(self, event: Event) -> Decision:
        """Put any event in, and check all that the engine promises."""
        before, items = self.run, list(self.run.nodes)
        self.clock.advance(timedelta(seconds=1))
        decision = advance(before, event, self.clock.now())
        assert decision == advance(before, event, self.clock.now()), "the same input gives the same answer"
        assert list(before.nodes) == items, "the run that went in is as it was"
        self.sent.append(event)
        self.run = decision.run
        if decision.run is before:
            assert decision == Decision(before), "an event without consequence has none at all"
            return decision
        self.taken.append(event)
        self.history += decision.events
        self._check_queue(event, decision)
        _check_change(before, decision)
        _check_reach(self.run.tree, event, decision)
        check_whole(self.run)
        self._check_history(before, decision, self.clock.now())
        return decision

    def place(self, path: str) -> Place:
        """Find a place that is known to be there."""
        place = self.run.tree.find(path)
        assert place is not None, path
        return place

    def node(self, path: str) -> NodeRun:
        """Find what the node at a path is at."""
        return self.run.nodes[self.place(path).index]

    def state(self, path: str) -> State:
        """Find the state of the node at a path; the empty path is the run's."""
        return self.node(path).state

    @property
    def states(self) -> dict[str, State]:
        """The state of every node, by path."""
        return states_of(self.run)

    def _leased(self, path: str) -> tuple[int, NodeRun]:
        index = self.place(path).index
        return index, self.run.nodes[index]

    def _check_queue(self, event: Event, decision: Decision) -> None:
        if isinstance(event, AttemptLeased):
            self.queue.queued.remove((event.node, event.attempt))
            self.queue.leased[event.node, event.attempt] = event.lease
        cancelled = self.run.cancel_reason is not None
        for effect in decision.effects:
            self.queue.apply(effect)
            if isinstance(effect, AttemptQueued):
                assert not cancelled, "nothing is queued once the run is to stop"
                task = self.run.tree[effect.node].node
                assert isinstance(task, Task)
                assert effect.kind is kind_of(task.work)
                assert effect.attempt == 1 or effect.kind is not WorkKind.DEPLOY or task.idempotent
        self._check_queue_against_nodes()

    def _check_queue_against_nodes(self) -> None:
        queue, run = self.queue, self.run
        tasks = {place.index: run.nodes[place.index] for place in _tasks(run.tree)}
        by_state = {
            state: {(index, node.attempt) for index, node in tasks.items() if node.state is state}
            for state in (State.QUEUED, State.RUNNING)
        }
        assert by_state[State.QUEUED] == queue.queued
        assert by_state[State.RUNNING] == set(queue.leased)
        for (index, _), lease in queue.leased.items():
            assert tasks[index].lease == lease
        assert {(index, node.attempt) for index, node in tasks.items() if node.stopping} == queue.stopping
        assert queue.run_ended == (run.state if run.state.ended else None)
        if run.state.ended:
            assert not queue.queued
            assert not queue.leased
        elif run.state is not State.WAITING:
            assert queue.queued or queue.leased, "a run that goes on has something to wait for"
        if run.cancel_reason is not None:
            assert not queue.queued
            assert queue.stopping == set(queue.leased)

    def _check_history(self, before: Run, decision: Decision, now: datetime) -> None:
        numbers = [event.number for event in decision.events]
        assert numbers == list(range(before.event_count + 1, self.run.event_count + 1))
        assert self.run.event_count == len(self.history)
        assert self.run.version == before.version + 1
        assert all(event.at == now for event in decision.events)
        last = {event.node: event for event in self.history}
        for index, node in enumerate(self.run.nodes):
            if index in last:
                event = last[index]
                told = (event.state, event.attempt, event.exit_code)
                assert told == (node.state, node.attempt, node.exit_code)
            else:
                assert node.state is State.WAITING


def states_of(run: Run) -> dict[str, State]:
    """Tell the state of every node, by path; the root's path is empty."""
    return {place.path: run.nodes[place.index].state for place in run.tree.places}


def check_whole(run: Run) -> None:
    """Check what holds for a run at any moment, whatever happened before."""
    for place in run.tree.places:
        node = run.nodes[place.index]
        _check_times(run, node)
        if node.state in (State.WAITING, State.QUEUED) or node.state.unsuccessful:
            assert reason_of(run, place.index) is not None
        if isinstance(place.node, Group):
            _check_group(run, place, node)
        else:
            assert (node.lease is not None) == (node.state is State.RUNNING)
            if node.attempt == 0:
                assert node.state in (State.WAITING, State.SKIPPED, State.CANCELLED)
                assert node.started_at is None
        assert not node.stopping or node.state in (State.QUEUED, State.RUNNING)


def _check_times(run: Run, node: NodeRun) -> None:
    assert (node.ended_at is not None) == node.state.ended
    if node.started_at is not None:
        assert node.started_at >= run.created_at
        assert node.ended_at is None or node.ended_at >= node.started_at
    if node.state is State.RUNNING:
        assert node.started_at is not None
    if node.state in (State.WAITING, State.SKIPPED):
        assert node.started_at is None
        assert node.attempt == 0


def _check_group(run: Run, place: Place, node: NodeRun) -> None:
    children = [run.nodes[child] for child in place.children]
    states = [child.state for child in children]
    assert node.open_children == sum(not state.ended for state in states)
    assert node.unsuccessful_children == sum(state.unsuccessful for state in states)
    assert (node.attempt, node.lease, node.exit_code) == (0, None, None)
    starts = [child.started_at for child in children if child.started_at is not None]
    assert node.started_at == min(starts, default=None)
    if node.state is State.WAITING:
        assert set(states) <= {State.WAITING}
    elif not node.state.ended:
        assert node.open_children
    else:
        assert not node.open_children
        _check_roll_up(run, node, states)
    assert isinstance(place.node, Group)
    if place.node.order is Order.SEQUENCE:
        for earlier, later in pairwise(children):
            begun = later.attempt or later.started_at or later.state in (State.QUEUED, State.RUNNING)
            assert not begun or earlier.state is State.SUCCEEDED
    elif node.state in (State.QUEUED, State.RUNNING):
        assert State.WAITING not in states, "all children of a parallel group begin with it"


def _check_roll_up(run: Run, node: NodeRun, states: list[State]) -> None:
    if node.state is State.SUCCEEDED:
        assert set(states) <= {State.SUCCEEDED}
    elif node.state is State.SKIPPED:
        assert set(states) <= {State.SKIPPED}
    elif node.state is State.CANCELLED:
        assert run.cancel_reason is not None
        assert not states or any(state.unsuccessful for state in states)
    else:
        assert node.state is State.FAILED
        assert any(state.unsuccessful for state in states)


def _check_change(before: Run, decision: Decision) -> None:
    """Check that what is said to have changed is what did, and that no end state was left."""
    # Counts follow from the children and are not written, so a node that differs in them alone is unchanged.
    for index, (old, new) in enumerate(zip(before.nodes, decision.run.nodes, strict=True)):
        if old.state.ended:
            assert new == old, "an end state is never left"
        if index not in decision.changed:
            assert _without_counts(old) == _without_counts(new)
    assert list(decision.changed) == sorted(set(decision.changed))


def _without_counts(node: NodeRun) -> NodeRun:
    return replace(node, open_children=0, unsuccessful_children=0)


def _check_reach(tree: Tree, event: Event, decision: Decision) -> None:
    """Check that an event about a task leaves alone what runs beside it."""
    if not isinstance(event, AttemptLeased | AttemptReported | AttemptLost):
        return
    reach = set(_reach(tree, event.node))
    assert set(decision.changed) <= reach


def _reach(tree: Tree, index: int) -> Iterator[int]:
    """Go through a node, its ancestors, and all that comes behind any of them in a sequence."""
    yield index
    place = tree[index]
    while place.parent is not None:
        parent = tree[place.parent]
        yield parent.index
        assert isinstance(parent.node, Group)
        if parent.node.order is Order.SEQUENCE:
            for later in parent.children[place.position + 1 :]:
                yield from _below(tree, later)
        place = parent


def _below(tree: Tree, index: int) -> Iterator[int]:
    yield index
    for child in tree[index].children:
        yield from _below(tree, child)


def _tasks(tree: Tree) -> Iterator[Place]:
    return (place for place in tree.places if isinstance(place.node, Task))
