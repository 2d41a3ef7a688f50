"""What runs and their nodes have come to."""

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from lineshaft.model.report import RunTrip, Trip


class Reports(Protocol):
    """What runs and their nodes have come to, without the rest of them."""

    def runs(self, pipeline_id: UUID, *, number: int | None, limit: int) -> Sequence[RunTrip]:
        """List a pipeline's last runs, newest first, or the one with a number."""
        ...

    def nodes(
        self, pipeline_id: UUID, definition_hash: str, numbers: tuple[int, int], indexes: Collection[int]
    ) -> Sequence[tuple[int, Trip]]:
        """List what nodes have come to, by index, in runs of one definition.

        Nodes that have only waited, and those that a run has kept from another, are left out.

        Args:
            pipeline_id: whose runs.
            definition_hash: of the definition.
            numbers: the first and the last run.
            indexes: of the nodes in the definition's tree.
        """
        ...
