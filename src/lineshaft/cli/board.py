"""The latest state of each node of a run, kept up to date from its history."""

from collections.abc import Sequence
from dataclasses import replace

from lineshaft.model.state import State
from lineshaft.sdk.run import NodeView, RunView, StateChange


class Board:
    """A run as its history up to some point tells it.

    One thread writes; others may call `run` meanwhile.
    """

    def __init__(self, run: RunView) -> None:
        """Begin before the run's history: with its nodes, none of which has begun.

        Args:
            run: any view of the run; nodes that it makes later are to be added by `grow`.
        """
        self._run = replace(run, state=State.WAITING, reason=None, started_at=None, ended_at=None)
        self._nodes = {node.path: _unbegun(node) for node in run.nodes}

    def knows(self, change: StateChange) -> bool:
        """Whether a change is about the run or a node that is known."""
        return not change.path or change.path in self._nodes

    def grow(self, run: RunView) -> Sequence[NodeView]:
        """Add the nodes that a later view of the run has beside those known, and list them.

        Args:
            run: the view; how far its nodes have come in it does not matter.
        """
        new = [node for node in run.nodes if node.path not in self._nodes]
        # One assignment, so that who draws meanwhile sees all of them or none.
        self._nodes = self._nodes | {node.path: _unbegun(node) for node in new}
        return new

    def apply(self, change: StateChange) -> None:
        """Take in the next line of the history."""
        started = change.at if change.state is State.RUNNING else None
        ended = change.at if change.state.ended else None
        if not change.path:
            run = self._run
            self._run = replace(
                run,
                state=change.state,
                reason=change.reason,
                started_at=run.started_at or started,
                ended_at=ended,
            )
        elif (node := self._nodes.get(change.path)) is not None:
            self._nodes[change.path] = replace(
                node,
                state=change.state,
                reason=change.reason,
                exit_code=change.exit_code,
                attempt=change.attempt or node.attempt,
                started_at=node.started_at or started,
                ended_at=ended,
            )

    def node(self, path: str) -> NodeView:
        """Tell where a node stands.

        Raises:
            KeyError: the run has no such node.
        """
        return self._nodes[path]

    def run(self) -> RunView:
        """Tell where the run and all its nodes stand."""
        return replace(self._run, nodes=tuple(self._nodes.values()))


def _unbegun(node: NodeView) -> NodeView:
    return NodeView(node.path, node.name, node.kind)
