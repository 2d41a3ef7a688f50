"""The working copy of a run while one event is decided."""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from lineshaft.engine.decision import Decision, Effect, OutputsGiven, TreeGrown
from lineshaft.model.changed import changed
from lineshaft.model.event import RunEvent
from lineshaft.model.node import Group, Task
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Generated, NodeRun, Run, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT

QUEUED_REASON: Final = Reason(ReasonCode.WAITING_FOR_WORKER, "Waits for a worker that serves it to be free.")
"""Why an attempt that a worker can claim is queued."""


class Chore(IntEnum):
    """What is still to be done about a node within the step."""

    BEGIN = 0
    PASS_ON = 1
    SETTLE = 2


class Step:
    """Collects what one event changes; lives only within one call of `advance`.

    What follows from a change is not done at once but noted as a chore, so that nothing recurses over the
    tree, which may be deeper than the interpreter's stack.
    """

    def __init__(self, run: Run, now: datetime) -> None:
        """Begin with the run as it is."""
        self.before = run
        self.now = now
        self.tree = run.tree
        self.nodes = run.nodes
        self.source = run.source
        self.cancel_reason = run.cancel_reason
        self.held = run.held
        self.approved_by = run.approved_by
        self.outputs = run.outputs
        self.generated = run.generated
        self.effects: list[Effect] = []
        self.chores: list[tuple[Chore, int]] = []
        self._events: list[RunEvent] = []
        self._changed: set[int] = set()

    def decision(self) -> Decision:
        """Close the step: a new version of the run, or the same object when nothing changed."""
        run = self.before
        if not self._changed and self.source == run.source and self.cancel_reason == run.cancel_reason:
            return Decision(run)
        after = self._run(version=run.version + 1, event_count=run.event_count + len(self._events))
        return Decision(after, tuple(sorted(self._changed)), tuple(self._events), tuple(self.effects))

    def run_now(self) -> Run:
        """Show the run as it is in the middle of the step, under its old version."""
        return self._run()

    def _run(self, **fields: Any) -> Run:
        return changed(
            self.before,
            tree=self.tree,
            nodes=self.nodes,
            source=self.source,
            cancel_reason=self.cancel_reason,
            held=self.held,
            approved_by=self.approved_by,
            outputs=self.outputs,
            generated=self.generated,
            **fields,
        )

    def change(self, index: int, **fields: Any) -> NodeRun:
        """Replace fields of a node, and record an event when its state is among them."""
        node = changed(self.nodes[index], **fields)
        self.nodes = self.nodes.replaced(index, node)
        self._changed.add(index)
        if "state" in fields:
            self.record(index, node.state, node.reason, node.attempt, node.exit_code)
        return node

    def count(self, index: int, **counts: Any) -> None:
        """Replace counts of a node, which follow from its children and make no change of their own."""
        self.nodes = self.nodes.replaced(index, changed(self.nodes[index], **counts))

    def record(
        self, index: int, state: State, reason: Reason | None, attempt: int, exit_code: int | None
    ) -> None:
        """Add a line to the run's history."""
        number = self.before.event_count + len(self._events) + 1
        self._events.append(RunEvent(number, self.now, index, state, reason, attempt, exit_code))

    def give_outputs(self, index: int, values: Mapping[str, str]) -> None:
        """Keep what a node tells later ones."""
        if values:
            self.outputs = {**self.outputs, index: values}
            self.effects.append(OutputsGiven(index, values))

    def grow(self, index: int, body: Group, text: str) -> None:
        """Give a group the children that its setup has made."""
        first = len(self.tree)
        self.tree = self.tree.grown(index, body)
        self.nodes = self.nodes.extended(waiting_nodes(self.tree, first))
        self._changed.update(range(first, len(self.tree)))
        self.count(index, open_children=len(self.tree[index].children))
        self.generated = (*self.generated, Generated(index, text))
        self.effects.append(TreeGrown(len(self.generated), self.generated[-1]))

    def task(self, index: int) -> Task:
        """Return the task at an index that is known to hold one."""
        node = self.tree[index].node
        if not isinstance(node, Task):
            raise TypeError(f"node {index} is a group")
        return node

    def group(self, index: int) -> Group:
        """Return the group at an index that is known to hold one."""
        node = self.tree[index].node
        if not isinstance(node, Group):
            raise TypeError(f"node {index} is a task")
        return node

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self.nodes[ROOT].state.ended
