"""The working copy of a run while one event is decided."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from lineshaft.engine.decision import AttemptEnded, AttemptQueued, Decision, Effect, RunEnded
from lineshaft.model.event import RunEvent
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import NodeRun, Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place
from lineshaft.model.work import kind_of

QUEUED_REASON = Reason(ReasonCode.WAITING_FOR_WORKER, "Waits for a worker that serves it to be free.")


class Step:
    """Collects what one event changes; lives only within one call of `advance`.

    Each method touches the nodes that change and their ancestors, never the whole run, and walks without
    recursion, since trees may be deeper than the interpreter's stack.
    """

    def __init__(self, run: Run, now: datetime) -> None:
        """Begin with the run as it is."""
        self.before = run
        self.now = now
        self.tree = run.tree
        self.nodes = run.nodes
        self.source = run.source
        self.cancel_reason = run.cancel_reason
        self.effects: list[Effect] = []
        self._events: list[RunEvent] = []
        self._changed: set[int] = set()
        self._to_begin: list[int] = []
        self._beginning = False

    def decision(self) -> Decision:
        """Close the step: a new version of the run, or the same object when nothing changed."""
        run = self.before
        if not self._changed and self.source == run.source and self.cancel_reason == run.cancel_reason:
            return Decision(run)
        after = replace(
            run,
            nodes=self.nodes,
            source=self.source,
            cancel_reason=self.cancel_reason,
            version=run.version + 1,
            event_count=run.event_count + len(self._events),
        )
        return Decision(after, tuple(sorted(self._changed)), tuple(self._events), tuple(self.effects))

    def change(self, index: int, **fields: Any) -> NodeRun:
        """Replace fields of a node, and record an event when its state is among them."""
        node = replace(self.nodes[index], **fields)
        self.nodes = self.nodes.replaced(index, node)
        self._changed.add(index)
        if "state" in fields:
            self.record(index, node.state, node.reason, node.attempt, node.exit_code)
        return node

    def record(
        self, index: int, state: State, reason: Reason | None, attempt: int, exit_code: int | None
    ) -> None:
        """Add a line to the run's history."""
        number = self.before.event_count + len(self._events) + 1
        self._events.append(RunEvent(number, self.now, index, state, reason, attempt, exit_code))

    def begin(self, index: int) -> None:
        """Let a waiting node begin: queue a task, or open a group and begin the children it begins with."""
        self._to_begin.append(index)
        if self._beginning:
            return  # An empty group ended while nodes were begun below: that loop takes this one too.
        self._beginning = True
        while self._to_begin:
            place = self.tree[self._to_begin.pop()]
            match place.node:
                case Task():
                    self.queue_attempt(place.index, 1)
                    following: Iterable[int] = ()
                case Group(order=order):
                    following = self._open(place, order)
                case _:
                    assert_never(place.node)
            self._to_begin.extend(following)
        self._beginning = False

    def _open(self, place: Place, order: Order) -> Iterable[int]:
        self.change(place.index, state=State.QUEUED, reason=QUEUED_REASON)
        if not place.children:
            self.finish(place.index, State.SUCCEEDED, None)
        return place.children[:1] if order is Order.SEQUENCE else reversed(place.children)

    def queue_attempt(self, index: int, attempt: int) -> None:
        """Offer a new attempt of a task to the workers."""
        self.change(index, state=State.QUEUED, reason=QUEUED_REASON, attempt=attempt, lease=None, stop=None)
        self.effects.append(AttemptQueued(index, attempt, kind_of(self.task(index).work)))

    def run_ancestors(self, index: int) -> None:
        """Show every group around a node that has begun to run as running."""
        parent = self.tree[index].parent
        while parent is not None and self.nodes[parent].state is State.QUEUED:
            self.change(parent, state=State.RUNNING, reason=None, started_at=self.now)
            parent = self.tree[parent].parent

    def end_attempt(
        self, index: int, state: State, reason: Reason | None, exit_code: int | None = None
    ) -> None:
        """End the current attempt of a task and with it the task."""
        self.effects.append(AttemptEnded(index, self.nodes[index].attempt, state))
        self.finish(index, state, reason, exit_code)

    def finish(self, index: int, state: State, reason: Reason | None, exit_code: int | None = None) -> None:
        """Put a node into its end state and carry that upwards as far as it reaches."""
        place: Place | None = self.tree[index]
        while place is not None:
            self._end(place.index, state, reason, exit_code)
            if place.parent is None:
                self.effects.append(RunEnded(state))
                return
            parent = self.tree[place.parent]
            self._count_ended_child(parent, place, state)
            follower = self._follower(parent, place)
            if follower is not None:
                self.begin(follower)
                return
            if self.nodes[parent.index].open_children:
                return
            state, reason = self._rolled_up(parent)
            exit_code = None
            place = parent

    def _end(self, index: int, state: State, reason: Reason | None, exit_code: int | None) -> None:
        self.change(
            index,
            state=state,
            reason=reason,
            exit_code=exit_code,
            ended_at=self.now,
            lease=None,
            stop=None,
        )

    def _count_ended_child(self, parent: Place, child: Place, state: State) -> None:
        node = self.nodes[parent.index]
        unsuccessful = node.unsuccessful_children + state.unsuccessful
        self._count(parent.index, node.open_children - 1, unsuccessful)
        if not state.unsuccessful:
            return
        if unsuccessful == 1:
            self.change(parent.index, reason=_child_failed(child, state))
        if _order(parent) is Order.SEQUENCE:
            self._abandon(parent, child)

    def _abandon(self, parent: Place, failed: Place) -> None:
        """End all that waits behind a child that did not succeed."""
        if self.cancel_reason is None:
            name = failed.node.name
            state = State.SKIPPED
            reason = Reason(ReasonCode.EARLIER_NODE_FAILED, f"'{name}' before it did not succeed.")
        else:
            state, reason = State.CANCELLED, self.cancel_reason
        rest = [
            child for child in parent.children[failed.position + 1 :] if not self.nodes[child].state.ended
        ]
        for child in rest:
            for index in self._subtree(child):
                self._end_unbegun(index, state, reason)
        node = self.nodes[parent.index]
        unsuccessful = node.unsuccessful_children + (len(rest) if state.unsuccessful else 0)
        self._count(parent.index, node.open_children - len(rest), unsuccessful)

    def _end_unbegun(self, index: int, state: State, reason: Reason) -> None:
        """End a node in which nothing has begun, whose children all end in the same way."""
        children = len(self.tree[index].children)
        self.change(
            index,
            state=state,
            reason=reason,
            ended_at=self.now,
            open_children=0,
            unsuccessful_children=children if state.unsuccessful else 0,
        )

    def _count(self, index: int, open_children: int, unsuccessful_children: int) -> None:
        # The counts follow from the children, so they are not written and make no change of their own.
        node = replace(
            self.nodes[index], open_children=open_children, unsuccessful_children=unsuccessful_children
        )
        self.nodes = self.nodes.replaced(index, node)

    def _follower(self, parent: Place, child: Place) -> int | None:
        """Find the child that a sequence begins next."""
        after = child.position + 1
        if _order(parent) is not Order.SEQUENCE or after == len(parent.children):
            return None
        # Behind a child that did not succeed, and in a run that is to stop, nothing waits any more.
        index = parent.children[after]
        return index if self.nodes[index].state is State.WAITING else None

    def _rolled_up(self, group: Place) -> tuple[State, Reason | None]:
        """Tell how a group ends whose children all have ended."""
        node = self.nodes[group.index]
        if node.unsuccessful_children == 0:
            return State.SUCCEEDED, None
        if self.cancel_reason is not None:
            return State.CANCELLED, self.cancel_reason
        return State.FAILED, node.reason

    def _subtree(self, index: int) -> Iterator[int]:
        stack = [index]
        while stack:
            place = self.tree[stack.pop()]
            yield place.index
            stack.extend(reversed(place.children))

    def task(self, index: int) -> Task:
        """Return the task at an index that is known to hold one."""
        node = self.tree[index].node
        if not isinstance(node, Task):
            raise TypeError(f"node {index} is a group")
        return node

    def open_leaves(self) -> Iterator[int]:
        """Go through the tasks and empty groups that have not ended, in order."""
        for place in self.tree.places:
            if not place.children and not self.nodes[place.index].state.ended:
                yield place.index

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self.nodes[ROOT].state.ended


def _order(place: Place) -> Order:
    group = place.node
    if not isinstance(group, Group):
        raise TypeError(f"node {place.index} is a task")
    return group.order


def _child_failed(child: Place, state: State) -> Reason:
    words = {
        State.FAILED: "failed",
        State.CANCELLED: "was cancelled",
        State.TIMED_OUT: "ran out of time",
        State.LOST: "lost its worker",
    }
    return Reason(ReasonCode.CHILD_FAILED, f"'{child.node.name}' {words[state]}.")
