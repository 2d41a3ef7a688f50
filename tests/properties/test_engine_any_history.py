"""Whatever happens to a run, in any order, twice, late or never: the engine keeps its promises.

The promises themselves are in `watched_run`, which checks them after every event.
"""

from dataclasses import replace
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    CancelRequested,
    ChildRunEnded,
    RunApproved,
    RunHeld,
    RunRefused,
    RunStarted,
    SourceResolved,
    TimerFired,
    TimerPurpose,
)
from lineshaft.model.node import Group, Node, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Lease
from lineshaft.model.state import State
from lineshaft.model.surroundings import Surroundings
from lineshaft.model.tree import ROOT, Tree
from lineshaft.model.work import DriverWork, WorkKind
from trees import WORK, any_trees
from watched_run import OUTCOMES, WatchedRun

SLOW_TO_DRAW = (HealthCheck.too_slow, HealthCheck.data_too_large)
"""Trees are large on purpose, and a busy machine is no failure."""

LIKELY_OUTCOMES = st.sampled_from((OUTCOMES[0], OUTCOMES[0], *OUTCOMES))
"""Success more often than not, so that histories get beyond their first task."""

ANY_NODE = st.integers(-1, 40)
ANY_ATTEMPT = st.integers(0, 3)
ANY_TOKEN = st.sampled_from(("", "token-1", "token-3", "token-5", "no lease's"))

SECRET = Surroundings(secrets=("TOKEN",))
MISSING = Reason(ReasonCode.SECRET_MISSING, "The secret TOKEN is missing.")
NOT_TRUSTED = Reason(ReasonCode.WAITING_FOR_APPROVAL, "The change comes from a fork.")
STOPS = (
    Reason(ReasonCode.CANCELLED_BY_USER, "admin cancelled it."),
    Reason(ReasonCode.SUPERSEDED, "Run 2 takes its place."),
)


def _asking(node: Node) -> Node:
    """Let some of the tasks in a node ask for a secret."""
    if isinstance(node, Task):
        return replace(node, surroundings=SECRET) if node.work == WORK[WorkKind.BUILD] else node
    return replace(
        node,
        children=tuple(map(_asking, node.children)),
        setup=None if node.setup is None else _asking(node.setup),
        teardown=None if node.teardown is None else _asking(node.teardown),
    )


class AnyHistory(RuleBasedStateMachine):
    """What may happen to a run, likely things and impossible ones."""

    watched: WatchedRun

    @initialize(tree=any_trees(), begun=st.sampled_from((True, True, False)), untrusted=st.booleans())
    def make_run(self, tree: Tree, *, begun: bool, untrusted: bool) -> None:
        root = _asking(tree.root)
        assert isinstance(root, Group)
        self.watched = WatchedRun(Tree(root), untrusted=untrusted)
        if begun:
            self.watched.start()

    @precondition(lambda self: self.watched.run.state is State.WAITING)
    @rule()
    def refuse(self) -> None:
        self.watched.send(RunRefused(MISSING))

    @precondition(lambda self: self.watched.run.state is State.WAITING)
    @rule()
    def start(self) -> None:
        held, before = self.watched.run.held, self.watched.run
        self.watched.send(RunStarted())
        assert not held or self.watched.run is before

    @rule()
    def hold(self) -> None:
        before = self.watched.run
        self.watched.send(RunHeld(NOT_TRUSTED))
        waits = before.state is State.WAITING and not before.approved_by
        assert self.watched.run.held == (before.held or waits)

    @rule(by=st.sampled_from(("", "ada", "ben")))
    def approve(self, by: str) -> None:
        before = self.watched.run
        self.watched.send(RunApproved(by))
        if self.watched.run is not before:
            assert before.held
            assert not self.watched.run.held
            assert self.watched.run.approved_by == by
            assert self.watched.run.state is State.WAITING

    @precondition(lambda self: self.watched.queue.queued)
    @rule(data=st.data())
    def lease_a_queued_attempt(self, data: st.DataObject) -> None:
        node, attempt = data.draw(st.sampled_from(sorted(self.watched.queue.queued)))
        self.watched.send(AttemptLeased(node, attempt, self.watched.new_lease()))

    @precondition(lambda self: self.watched.queue.leased)
    @rule(data=st.data(), outcome=LIKELY_OUTCOMES)
    def report_a_running_attempt(self, data: st.DataObject, outcome: Outcome) -> None:
        node, attempt, lease = self._a_running_attempt(data)
        stop = self._stop_of_driver(node)
        decision = self.watched.send(AttemptReported(node, attempt, lease.token, outcome))
        tried_again = self.watched.run.nodes[node].state in (State.WAITING, State.QUEUED)
        ends = {outcome.state}
        if stop is not None and (stop is State.TIMED_OUT or outcome.state is State.LOST):
            ends = {stop}
        assert tried_again or self.watched.run.nodes[node].state in ends
        assert node in decision.changed

    @precondition(lambda self: self.watched.queue.leased)
    @rule(data=st.data())
    def lose_a_running_attempt(self, data: st.DataObject) -> None:
        node, attempt, lease = self._a_running_attempt(data)
        end = self._stop_of_driver(node) or State.LOST
        self.watched.send(AttemptLost(node, attempt, lease.token))
        assert self.watched.run.nodes[node].state in (State.WAITING, State.QUEUED, end)

    @precondition(lambda self: self.watched.queue.calls)
    @rule(data=st.data(), outcome=LIKELY_OUTCOMES)
    def end_a_called_run(self, data: st.DataObject, outcome: Outcome) -> None:
        node, attempt = data.draw(st.sampled_from(sorted(self.watched.queue.calls)))
        assert node in self.watched.send(ChildRunEnded(node, attempt, outcome)).changed

    @precondition(lambda self: self.watched.queue.timers)
    @rule(data=st.data())
    def fire_a_timer(self, data: st.DataObject) -> None:
        node, purpose = data.draw(st.sampled_from(sorted(self.watched.queue.timers)))
        stop = self.watched.run.nodes[node].stop
        self.watched.send(TimerFired(node, purpose))
        if purpose is TimerPurpose.GRACE and stop is not None:
            assert self.watched.run.nodes[node].state is not State.RUNNING

    @precondition(lambda self: len(self.watched.sent) > 8 and self.watched.run.cancel_reason is None)
    @rule(reason=st.sampled_from(STOPS))
    def cancel(self, reason: Reason) -> None:
        self.watched.send(CancelRequested(reason))
        assert self.watched.run.state.ended or self.watched.run.cancel_reason is not None

    @rule(commit=st.sampled_from(("a" * 40, "b" * 40)))
    def resolve_the_source(self, commit: str) -> None:
        self.watched.send(SourceResolved(commit))

    @precondition(lambda self: self.watched.sent)
    @rule(data=st.data())
    def repeat_an_event(self, data: st.DataObject) -> None:
        event, run = data.draw(st.sampled_from(self.watched.sent)), self.watched.run
        # A timer that was set anew may fire anew; the store forgets each as it fires.
        taken = event in self.watched.taken and not isinstance(event, TimerFired)
        decision = self.watched.send(event)
        assert not taken or decision.run is run

    @rule(node=ANY_NODE, attempt=ANY_ATTEMPT, token=ANY_TOKEN, end=st.sampled_from(OUTCOMES))
    def send_what_fits_no_attempt(self, node: int, attempt: int, token: str, end: Outcome) -> None:
        run, queue = self.watched.run, self.watched.queue
        lease = queue.leased.get((node, attempt))
        if (node, attempt) not in queue.queued:
            stray = Lease(token, UUID(int=9))
            assert self.watched.send(AttemptLeased(node, attempt, stray)).run is run
        if lease is None or lease.token != token:
            assert self.watched.send(AttemptLost(node, attempt, token)).run is run
            assert self.watched.send(AttemptReported(node, attempt, token, end)).run is run
        if (node, attempt) not in queue.calls:
            assert self.watched.send(ChildRunEnded(node, attempt, end)).run is run
        for purpose in TimerPurpose:
            # What the run's own limit is, only who started it knows, so that timer is always heard.
            if (node, purpose) not in queue.timers and node != ROOT:
                assert self.watched.send(TimerFired(node, purpose)).run is run

    def _stop_of_driver(self, node: int) -> State | None:
        """Tell how a driver's task that is being stopped will have ended; None for any other."""
        task, stop = self.watched.run.tree[node].node, self.watched.run.nodes[node].stop
        assert isinstance(task, Task)
        return None if stop is None or not isinstance(task.work, DriverWork) else stop.state

    def _a_running_attempt(self, data: st.DataObject) -> tuple[int, int, Lease]:
        node, attempt = data.draw(st.sampled_from(sorted(self.watched.queue.leased)))
        return node, attempt, self.watched.queue.leased[node, attempt]

    def teardown(self) -> None:
        """Whatever happened, the run ends once it is approved and every worker has reported."""
        self.watched.send(RunApproved("eve"))
        self.watched.send(RunStarted())
        while not self.watched.run.state.ended:
            for node, attempt in sorted(self.watched.queue.queued):
                self.watched.send(AttemptLeased(node, attempt, self.watched.new_lease()))
            for (node, attempt), lease in sorted(self.watched.queue.leased.items()):
                self.watched.send(AttemptReported(node, attempt, lease.token, OUTCOMES[0]))
            for node, attempt in sorted(self.watched.queue.calls):
                self.watched.send(ChildRunEnded(node, attempt, OUTCOMES[0]))
            for node, purpose in sorted(self.watched.queue.timers):
                if purpose is TimerPurpose.RETRY:
                    self.watched.send(TimerFired(node, purpose))
        assert all(state.ended for state in self.watched.states.values())
        assert self.watched.queue.run_ended is self.watched.run.state


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=120, stateful_step_count=50, deadline=None, suppress_health_check=SLOW_TO_DRAW
)
