"""Why a node waits: told from the run alone, so that it need not be stored with every node."""

from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place


def reason_of(run: Run, index: int) -> Reason | None:
    """Tell why a node is in its state.

    Args:
        run: the run.
        index: the node's index; 0 asks for the run itself.

    Returns:
        The reason it was given, or what a waiting node waits for; None where a state needs no words.
    """
    node = run.nodes[index]
    if node.state is not State.WAITING:
        return node.reason
    if run.state is State.WAITING or index == ROOT:
        return Reason(ReasonCode.WAITING_FOR_EARLIER_RUN, "Waits for the pipeline's earlier run to stop.")
    return _held_up_by(run, run.tree[index])


def _held_up_by(run: Run, place: Place) -> Reason | None:
    # The outermost node around it that waits itself is the one whose turn has to come.
    while place.parent is not None and run.nodes[place.parent].state is State.WAITING:
        place = run.tree[place.parent]
    if place.parent is None:
        return None
    siblings = run.tree[place.parent].children
    earlier = next(run.tree[child] for child in siblings if not run.nodes[child].state.ended)
    return Reason(ReasonCode.WAITING_FOR_EARLIER_NODE, f"Waits for '{earlier.node.name}' to end.")
