"""Where nodes were run that a run keeps from the one that it goes on from."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import NodeRun, Run
from lineshaft.ports.store import Transaction


@dataclass(frozen=True, slots=True)
class Origin:
    """A run in which nodes were run.

    Attributes:
        run_id: which.
        paths: of the nodes that count; None means all.
    """

    run_id: UUID
    paths: frozenset[str] | None = None

    def has(self, path: str) -> bool:
        """Whether a node counts."""
        return self.paths is None or path in self.paths


def origins(transaction: Transaction, run: Run) -> Iterator[Origin]:
    """Go through the runs in which a run's nodes were run: its own, and those that it keeps nodes from."""
    yield Origin(run.id)
    wanted = _kept(run)
    while wanted and run.retry_of is not None:
        former = transaction.runs.get(run.retry_of)
        if former is None:
            return
        from_before = wanted & _kept(former)
        yield Origin(former.id, wanted - from_before)
        wanted, run = from_before, former


def _kept(run: Run) -> frozenset[str]:
    if run.retry_of is None:
        return frozenset()
    return frozenset(place.path for place in run.tree.places if _is_kept(run.nodes[place.index]))


def _is_kept(node: NodeRun) -> bool:
    return node.reason is not None and node.reason.code is ReasonCode.KEPT
