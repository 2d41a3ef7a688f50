"""The roles of users on single pipelines."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from lineshaft.model.grant import Grant


class Grants(Protocol):
    """The roles of users on single pipelines: at most one for a user and a pipeline."""

    def of_user(self, user: str) -> Sequence[Grant]:
        """List a user's, by the pipelines' ids."""
        ...

    def of_pipeline(self, pipeline_id: UUID) -> Sequence[Grant]:
        """List those on a pipeline, by the users' names."""
        ...

    def put(self, grant: Grant) -> None:
        """Add one, or replace the user's on that pipeline."""
        ...

    def remove(self, user: str, pipeline_id: UUID) -> bool:
        """Remove one; False when the user has none on that pipeline."""
        ...

    def remove_user(self, user: str) -> None:
        """Remove all of a user's."""
        ...

    def remove_orphaned(self, limit: int) -> int:
        """Remove those on pipelines of which nothing is left: deleted ones whose runs are gone as well.

        Args:
            limit: of how many users on pipelines to look at once; all on the pipelines found go.

        Returns:
            How many they were; 0 when there are no more.
        """
        ...
