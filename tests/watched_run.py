"""A run that is watched: every event goes through `advance`, and every promise of the engine is checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from lineshaft.engine.advance import advance
from lineshaft.engine.counting import counts_against, recounted
from lineshaft.engine.decision import (
    AttemptEnded,
    AttemptQueued,
    AttemptStopping,
    ChildRunStopping,
    ChildRunWanted,
    Decision,
    Effect,
    OutputsGiven,
    RunEnded,
    TimerSet,
    TreeGrown,
)
from lineshaft.engine.explain import explain, reason_of
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    CancelRequested,
    ChildRunEnded,
    Event,
    RunEvent,
    RunStarted,
    TimerFired,
    TimerPurpose,
)
from lineshaft.model.node import Group, Order, Role, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Generated, Lease, NodeRun, Run, Source, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import Place, Tree
from lineshaft.model.work import PipelineWork, WorkKind, kind_of
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import CountingIds

SUCCEEDED = Outcome(State.SUCCEEDED, exit_code=0)
FAILED = Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "Exited with 1."), 1)
TIMED_OUT = Outcome(State.TIMED_OUT, Reason(ReasonCode.TIME_LIMIT, "Took longer than a minute."))
STOPPED = Outcome(State.CANCELLED, Reason(ReasonCode.SIGNAL, "Was told to stop."), 143)
DISK_FULL = Outcome(State.LOST, Reason(ReasonCode.DISK_FULL, "The disk is full."))
UNBEGUN = replace(DISK_FULL, begun=False)
ANSWERED = replace(SUCCEEDED, result=DriverResult(success=True, message="done", data={"artifact": "a.tar"}))
REFUSED = Outcome(
    State.FAILED, Reason(ReasonCode.DRIVER_FAILED, "No such app."), result=DriverResult(success=False)
)
OUTCOMES = (SUCCEEDED, FAILED, TIMED_OUT, STOPPED, DISK_FULL, UNBEGUN, ANSWERED, REFUSED)

BY_USER = Reason(ReasonCode.CANCELLED_BY_USER, "admin cancelled it.")

_NOT_BEGUN = (ReasonCode.EXPRESSION_FAILED, ReasonCode.SECRET_WITHHELD)
"""Why a task fails whose turn has come, before there is an attempt."""

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
        stopping: attempts whose worker, or whose called run, has been told to stop.
        calls: attempts for which a run of another pipeline goes on.
        timers: the times that the engine has asked for.
        outputs: what nodes have told.
        growths: the nodes that were made, in the order in which they joined.
        run_ended: how the run ended, once it has.
    """

    queued: set[Attempt]
    leased: dict[Attempt, Lease]
    ended: set[Attempt]
    stopping: set[Attempt]
    calls: set[Attempt] = field(default_factory=set)
    timers: dict[tuple[int, TimerPurpose], datetime] = field(default_factory=dict)
    outputs: dict[int, Mapping[str, str]] = field(default_factory=dict)
    growths: list[Generated] = field(default_factory=list)
    run_ended: State | None = None

    def apply(self, effect: Effect) -> None:
        """Do what an effect says, and refuse what cannot be."""
        assert self.run_ended is None, "nothing follows the end of the run"
        match effect:
            case AttemptQueued(node=node, attempt=attempt):
                assert (node, attempt) not in self.queued | self.ended | set(self.leased)
                assert attempt == 1 or (node, attempt - 1) in self.ended
                assert (node, TimerPurpose.RETRY) not in self.timers
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
            case ChildRunWanted(node=node, attempt=attempt):
                assert (node, attempt) not in self.calls
                self.calls.add((node, attempt))
            case ChildRunStopping(node=node, attempt=attempt):
                assert (node, attempt) in self.calls
                assert (node, attempt) not in self.stopping
                self.stopping.add((node, attempt))
            case TimerSet(node=node, purpose=purpose, due_at=due_at):
                self.timers[node, purpose] = due_at
            case OutputsGiven(node=node, values=values):
                assert values
                assert node not in self.outputs
                self.outputs[node] = values
            case TreeGrown(number=number, generated=generated):
                self.growths.append(generated)
                assert number == len(self.growths)
            case _:
                assert_never(effect)


class WatchedRun:
    """A run, moved by methods that read like what happens, and checked after each event.

    Attributes:
        clock: gives each event a second of its own.
        ids: makes tokens and workers.
        run: as the last event left it.
        queue: the attempts, as the effects tell of them.
        unbegun: the attempts whose workers have told that none of the work was done.
        history: what the run has recorded.
        sent: all events, in order.
        taken: those of them that had a consequence.
    """

    def __init__(self, tree: Tree, **fields: Any) -> None:
        """Begin with a run in which nothing has begun, unless its fields say otherwise."""
        self.clock = ManualClock()
        self.ids = CountingIds()
        self.run = replace(new_run(tree), **fields)
        self.queue = ShadowQueue(set(), {}, set(), set())
        self.unbegun: set[Attempt] = set()
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

    def end_call(self, path: str, outcome: Outcome) -> Decision:
        """Let the run end that the task at a path has called."""
        index, node = self._leased(path)
        return self.send(ChildRunEnded(index, node.attempt, outcome))

    def fire(self, path: str, purpose: TimerPurpose) -> Decision:
        """Let the time come for which the node at a path has a timer."""
        index = self.place(path).index
        assert (index, purpose) in self.queue.timers
        return self.send(TimerFired(index, purpose))

    def reason(self, path: str) -> Reason | None:
        """Tell why the node at a path is in its state."""
        return reason_of(self.run, self.place(path).index)

    def code(self, path: str) -> ReasonCode | None:
        """Tell the code of the reason of the node at a path."""
        reason = self.reason(path)
        return None if reason is None else reason.code

    def cancel(self, reason: Reason = BY_USER) -> Decision:
        """Let someone cancel the run."""
        return self.send(CancelRequested(reason))

    def send(self, event: Event) -> Decision:
        """Put any event in, and check all that the engine promises."""
        before, items = self.run, list(self.run.nodes)
        self.clock.advance(timedelta(seconds=1))
        decision = advance(before, event, self.clock.now())
        _check_same(decision, advance(before, event, self.clock.now()))
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
        _check_reach(before.tree, event, decision)
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
        match event:
            case AttemptLeased():
                self.queue.queued.remove((event.node, event.attempt))
                self.queue.leased[event.node, event.attempt] = event.lease
            case ChildRunEnded():
                self.queue.calls.remove((event.node, event.attempt))
                self.queue.stopping.discard((event.node, event.attempt))
            case TimerFired():
                self.queue.timers.pop((event.node, event.purpose), None)
            case AttemptReported() if not event.outcome.begun:
                self.unbegun.add((event.node, event.attempt))
            case _:
                pass
        for effect in decision.effects:
            self.queue.apply(effect)
            if isinstance(effect, AttemptQueued | ChildRunWanted):
                self._check_beginning(effect)
        self._check_queue_against_nodes()

    def _check_beginning(self, effect: AttemptQueued | ChildRunWanted) -> None:
        task = self.run.tree[effect.node].node
        assert isinstance(task, Task)
        if isinstance(effect, AttemptQueued):
            assert not (self.run.untrusted and task.wanted_secrets)
            assert effect.demand.kind is kind_of(task.work)
            earlier = {(effect.node, attempt) for attempt in range(1, effect.attempt)}
            assert task.idempotent or effect.demand.kind is not WorkKind.DEPLOY or earlier <= self.unbegun
        else:
            assert isinstance(task.work, PipelineWork)

    def _check_queue_against_nodes(self) -> None:
        queue, run = self.queue, self.run
        tasks = {place.index: run.nodes[place.index] for place in _tasks(run.tree)}
        by_state = {
            state: {(index, node.attempt) for index, node in tasks.items() if node.state is state}
            for state in (State.QUEUED, State.RUNNING)
        }
        assert by_state[State.QUEUED] == queue.queued
        assert by_state[State.RUNNING] == set(queue.leased) | queue.calls
        for (index, _), lease in queue.leased.items():
            assert tasks[index].lease == lease
        assert {(index, node.attempt) for index, node in tasks.items() if node.stopping} == queue.stopping
        # What begins and is stopped within one event has ended by now.
        for index, _ in queue.queued:
            assert not _in_stopped_scope(run, index), "nothing begins where all is to stop"
        for index, _ in (*queue.leased, *queue.calls):
            assert tasks[index].stopping or not _in_stopped_scope(run, index), (
                "what runs there is told to stop"
            )
        assert queue.run_ended == (run.state if run.state.ended else None)
        retries = {index for index, node in tasks.items() if node.state is State.WAITING and node.attempt}
        assert retries <= {node for node, purpose in queue.timers if purpose is TimerPurpose.RETRY}
        going_on = queue.queued or queue.leased or queue.calls or retries
        if run.state.ended:
            assert not going_on
        elif run.state is not State.WAITING:
            assert going_on, "a run that goes on has something to wait for"
        assert queue.outputs == run.outputs
        assert tuple(queue.growths) == run.generated

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
                assert node.state is State.WAITING or _ended_beforehand(node)
        _check_teardowns(self.run, self.history)


def _check_same(one: Decision, other: Decision) -> None:
    """Check that the same input has given the same answer; trees are compared by their places."""
    assert one.run.tree.places == other.run.tree.places
    assert one == replace(other, run=replace(other.run, tree=one.run.tree))


def states_of(run: Run) -> dict[str, State]:
    """Tell the state of every node, by path; the root's path is empty."""
    return {place.path: run.nodes[place.index].state for place in run.tree.places}


def check_whole(run: Run) -> None:
    """Check what holds for a run at any moment, whatever happened before."""
    assert list(recounted(run.tree, list(run.nodes))) == list(run.nodes), "the counts follow from the states"
    for place in run.tree.places:
        node = run.nodes[place.index]
        _check_times(run, node)
        assert explain(run, place.index).state is node.state
        if node.state in (State.WAITING, State.QUEUED, State.SKIPPED) or node.state.unsuccessful:
            assert reason_of(run, place.index) is not None
        if isinstance(place.node, Group):
            _check_group(run, place, node)
        elif not _ended_beforehand(node):
            called = isinstance(place.node.work, PipelineWork)
            assert (node.lease is not None) == (node.state is State.RUNNING and not called)
            if node.attempt == 0:
                assert node.state in (State.WAITING, State.SKIPPED, State.CANCELLED, State.FAILED)
                assert node.started_at is None
        assert not node.stopping or node.state in (State.QUEUED, State.RUNNING)
    assert not run.held or (run.root.started_at is None and not run.approved_by), "held runs do not begin"


def _ended_beforehand(node: NodeRun) -> bool:
    return node.reason is not None and node.reason.code in (ReasonCode.KEPT, ReasonCode.NOT_SELECTED)


def _check_times(run: Run, node: NodeRun) -> None:
    if _ended_beforehand(node):
        assert node.started_at is None
        return
    assert (node.ended_at is not None) == node.state.ended
    if node.started_at is not None:
        assert node.started_at >= run.created_at
        assert node.ended_at is None or node.ended_at >= node.started_at
    if node.state is State.RUNNING:
        assert node.started_at is not None
    if node.state is State.SKIPPED:
        assert node.started_at is None
        assert node.attempt == 0
    if node.state is State.WAITING:
        assert (node.started_at is None) == (node.attempt == 0)


def _check_group(run: Run, place: Place, node: NodeRun) -> None:
    below = [run.nodes[child] for child in place.below]
    states = [child.state for child in below]
    assert (node.attempt, node.lease, node.exit_code) == (0, None, None)
    starts = [child.started_at for child in below if child.started_at is not None]
    assert node.started_at == min(starts, default=None)
    if node.state is State.WAITING:
        assert all(each.state is State.WAITING or _ended_beforehand(each) for each in below)
    elif node.state.ended:
        assert all(state.ended for state in states)
        if not _ended_beforehand(node):
            _check_roll_up(run, place, node)
    else:
        assert not all(state.ended for state in states)
    _check_order(run, place, node)


def _check_order(run: Run, place: Place, node: NodeRun) -> None:
    """Check that nothing has begun before its turn."""
    group = place.node
    assert isinstance(group, Group)
    setup = None if place.setup is None else run.nodes[place.setup]
    for position, child in enumerate(place.children):
        if not _begun(run.nodes[child]):
            continue
        if group.setup is not None and setup is not None:
            assert setup.state.ended
            assert not counts_against(group.setup, setup.state)
        before = place.children[:position] if group.order is Order.SEQUENCE else run.tree[child].needs
        assert all(run.nodes[earlier].state.ended for earlier in before)
    if place.teardown is not None and _begun(run.nodes[place.teardown]):
        assert setup is None or setup.state.ended
        assert not node.open_children


def _is_kept(node: NodeRun) -> bool:
    return node.reason is not None and node.reason.code is ReasonCode.KEPT


def _begun(node: NodeRun) -> bool:
    return node.attempt > 0 or node.started_at is not None or node.state in (State.QUEUED, State.RUNNING)


def _check_roll_up(run: Run, place: Place, node: NodeRun) -> None:
    """Check that how a group ended follows from what is below it and from its stop alone."""
    below = [(run.tree[child].node, run.nodes[child].state) for child in place.below]
    against = [state for child, state in below if counts_against(child, state)]
    code = None if node.reason is None else node.reason.code
    match node.state:
        case State.SUCCEEDED:
            assert not against
            warned = any(run.nodes[child].reason == node.reason for child in place.below)
            failed = any(state.unsuccessful for _, state in below)
            assert code is (ReasonCode.ALLOWED_FAILURE if failed else code)
            assert code in (None, ReasonCode.ALLOWED_FAILURE)
            assert code is None or failed or warned
        case State.SKIPPED:
            # What an earlier run has done stays done, whatever this one skips around it.
            here = [run.nodes[child] for child in place.below if not _is_kept(run.nodes[child])]
            assert {node.state for node in here} <= {State.SKIPPED}
        case State.CANCELLED:
            assert not below or any(state.unsuccessful for _, state in below)
        case State.TIMED_OUT:
            assert code is ReasonCode.TIME_LIMIT
        case State.FAILED:
            assert against or code in (ReasonCode.EXPRESSION_FAILED, ReasonCode.SECRET_MISSING)
        case _:
            raise AssertionError(node.state)


def _check_teardowns(run: Run, history: list[RunEvent]) -> None:
    """Check that the teardown of each ended group ran, once, when and only when the group had begun."""
    begun = {event.node for event in history if event.state is State.QUEUED}
    for place in run.tree.places:
        if place.teardown is None or not run.nodes[place.index].state.ended:
            continue
        events = [event for event in history if event.node == place.teardown]
        if place.index not in begun:
            assert len(events) <= 1
            continue
        teardown = run.nodes[place.teardown]
        not_asked = teardown.state is State.SKIPPED and teardown.reason is not None
        if not_asked:
            assert teardown.reason is not None
            assert teardown.reason.code is ReasonCode.CONDITION_FALSE or _ended_beforehand(teardown)
        elif place.teardown not in begun and not isinstance(run.tree[place.teardown].node, Group):
            failed = teardown.reason is not None and teardown.reason.code in _NOT_BEGUN
            assert failed or isinstance(_work(run.tree[place.teardown]), PipelineWork)
        assert sum(event.state.ended and event.attempt == teardown.attempt for event in events) == 1


def _work(place: Place) -> object:
    assert isinstance(place.node, Task)
    return place.node.work


def _in_stopped_scope(run: Run, index: int) -> bool:
    """Whether a node is in something that is to stop, not sheltered by a teardown that goes on."""
    place = run.tree[index]
    while place.parent is not None and place.role is not Role.TEARDOWN:
        if run.nodes[place.parent].stop is not None:
            return True
        place = run.tree[place.parent]
    return False


def _check_change(before: Run, decision: Decision) -> None:
    """Check that what is said to have changed is what did, and that no end state was left."""
    # Counts follow from the children and are not written, so a node that differs in them alone is unchanged.
    old_nodes, new_nodes = list(before.nodes), list(decision.run.nodes)
    for index, (old, new) in enumerate(zip(old_nodes, new_nodes, strict=False)):
        if old.state.ended:
            assert new == old, "an end state is never left"
        if index not in decision.changed:
            assert _without_counts(old) == _without_counts(new)
    assert set(range(len(old_nodes), len(new_nodes))) <= set(decision.changed), "new nodes are changes"
    assert list(decision.changed) == sorted(set(decision.changed))


def _without_counts(node: NodeRun) -> NodeRun:
    return replace(node, open_children=0, unsuccessful_children=0, open_needs=0, failed_needs=0)


def _check_reach(tree: Tree, event: Event, decision: Decision) -> None:
    """Check that an event about a task leaves alone what runs beside it."""
    if isinstance(event, AttemptLeased | AttemptReported | AttemptLost | ChildRunEnded):
        reach = set(_reach(tree, event.node))
        grown = range(len(tree), len(decision.run.tree))
        assert {index for index in decision.changed if index not in grown} <= reach


def _reach(tree: Tree, index: int) -> Iterator[int]:
    """Go through a node, its ancestors, and all that comes after any of them."""
    yield index
    place = tree[index]
    while place.parent is not None:
        parent = tree[place.parent]
        yield parent.index
        if parent.teardown is not None:
            yield from _below(tree, parent.teardown)
        assert isinstance(parent.node, Group)
        if place.role is Role.SETUP or parent.node.fail_fast or parent.node.order is Order.GRAPH:
            later: tuple[int, ...] = parent.children
        else:
            after = parent.node.order is Order.SEQUENCE and place.role is Role.BODY
            later = parent.children[place.position + 1 :] if after else ()
        for sibling in later:
            yield from _below(tree, sibling)
        place = parent


def _below(tree: Tree, index: int) -> Iterator[int]:
    yield index
    for child in tree[index].below:
        yield from _below(tree, child)


def _tasks(tree: Tree) -> Iterator[Place]:
    return (place for place in tree.places if isinstance(place.node, Task))
