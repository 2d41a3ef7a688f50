"""The pipelines that exist, as the store keeps them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.pipeline import Pipeline


class Pipelines(Protocol):
    """The pipelines that exist; deleted ones are not seen here."""

    def add(self, pipeline: Pipeline) -> None:
        """Add a new one, and its definition where that is new."""
        ...

    def get(self, pipeline_id: UUID) -> Pipeline | None:
        """Find one by its id."""
        ...

    def replace(self, pipeline: Pipeline) -> bool:
        """Replace name, definition and `updated_at`; False when it does not exist."""
        ...

    def remove(self, pipeline_id: UUID, at: datetime) -> bool:
        """Mark it deleted, which keeps its runs; False when it does not exist."""
        ...

    def page(
        self,
        *,
        name: str | None,
        after: tuple[str, UUID] | None,
        limit: int,
        visible: Collection[UUID] | None = None,
    ) -> Sequence[Pipeline]:
        """List by (name, id), ascending; the server's own, which `relay` finds, are left out.

        Args:
            name: of the only pipelines to list; None means all.
            after: behind which to begin; None begins at the first.
            limit: how many to list, at most.
            visible: the ids of the only ones to list; None means all.
        """
        ...

    def of_repositories(self, keys: Collection[str]) -> Sequence[Pipeline]:
        """List those that work on one of some repositories, by id.

        Args:
            keys: as `definition.repository.repository_key` makes them of addresses; at most 100.
        """
        ...

    def fill_keys(self, limit: int) -> int:
        """Have changes of their repositories find some pipelines that were written without a key.

        Args:
            limit: how many, at most.

        Returns:
            How many there were.
        """
        ...

    def managed(self) -> Sequence[Pipeline]:
        """List those that the server's file of pipelines keeps, by name, then id."""
        ...

    def hold_relays(self) -> None:
        """Keep other processes from doing this until this transaction has ended.

        Call order: before `relay` is asked by whoever makes one where there is none.
        """
        ...

    def relay(self, type_name: str) -> Pipeline | None:
        """Find the server's own pipeline that takes changes of a type to drivers.

        Args:
            type_name: the type; empty for the one that takes broadcasts.
        """
        ...

    def hold_managed(self) -> None:
        """Keep other processes from doing this until this transaction has ended."""
        ...

    def hold(self, pipeline_id: UUID) -> None:
        """Keep other processes from replacing, removing or holding one until this transaction has ended."""
        ...

    def next_run_number(self, pipeline_id: UUID) -> int:
        """Return the number of the pipeline's next run, from 1; it is taken when this transaction commits."""
        ...
