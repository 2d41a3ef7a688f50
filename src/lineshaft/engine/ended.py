"""What can be said of a run that has ended: to expressions, and of the nodes that it ended so for."""

from dataclasses import replace
from typing import Final

from lineshaft.engine.scope import NodesAround, scope_of
from lineshaft.expression import RunEnd, Scope
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import NodeRun, Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place

_STOPPED_WITH_IT: Final = frozenset({State.CANCELLED, State.SKIPPED})


def ended_scope(run: Run, url: str) -> Scope:
    """Tell what expressions see that are evaluated when a run has ended.

    Args:
        run: that has ended.
        url: where it can be looked at; empty where that is not known.
    """
    reason = run.root.reason
    end = RunEnd(state=run.state.value, reason="" if reason is None else reason.text, url=url)
    return replace(scope_of(run, ROOT), run_end=end, nodes=_AfterAll(run, run.tree[ROOT]))


class _AfterAll(NodesAround):
    """The nodes of a run, seen from behind its end: what came before is all of it."""

    def __init__(self, run: Run, place: Place) -> None:
        super().__init__(run, place)
        self._state = run.state

    def succeeded(self, node: str | None) -> bool:
        """Tell whether the node did succeed; None: whether the run did."""
        return self._state is State.SUCCEEDED if node is None else super().succeeded(node)

    def failed(self, node: str | None) -> bool:
        """Tell whether the node did not succeed after it had begun; None: whether the run did not."""
        return self._state.unsuccessful if node is None else super().failed(node)


def culprits(run: Run) -> list[Place]:
    """List the nodes that a run did not succeed for, in the order of the tree; of a group what is in it.

    Failures that are allowed are none, and what was stopped for the failure of another is none either, unless
    there is nothing else.
    """
    found: list[Place] = []
    ways = [run.tree[ROOT]]
    while ways:
        place = ways.pop()
        below = [run.tree[index] for index in reversed(place.below) if _counts(run, run.tree[index])]
        if not below and place.index != ROOT:
            found.append(place)
        ways += below
    worse = [place for place in found if run.nodes[place.index].state not in _STOPPED_WITH_IT]
    return worse or found


def _counts(run: Run, place: Place) -> bool:
    node = run.nodes[place.index]
    return node.state.unsuccessful and not place.node.allow_failure and not _is_warning(node)


def _is_warning(node: NodeRun) -> bool:
    return node.reason is not None and node.reason.code is ReasonCode.ALLOWED_FAILURE
