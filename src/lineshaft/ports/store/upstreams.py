"""Upstreams: which pipelines start when runs of others end."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID


class Upstreams(Protocol):
    """The pipelines that exist and follow others."""

    def hold(self) -> None:
        """Keep other processes from doing this until this transaction has ended.

        What is read behind this shows what those have written who did it before.
        """
        ...

    def put(self, pipeline_id: UUID, names: Sequence[str]) -> None:
        """Say which pipelines one follows, in the place of what was said before.

        Args:
            pipeline_id: the one that follows.
            names: of those that it follows, each once; none means that it follows no more.
        """
        ...

    def of_name(self, name: str) -> Sequence[UUID]:
        """List the pipelines that follow those of a name, by id."""
        ...

    def of_pipeline(self, pipeline_id: UUID) -> Sequence[UUID]:
        """List the pipelines that follow one by the name that it has now, by id; none of a deleted one."""
        ...
