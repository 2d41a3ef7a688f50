"""Pipelines as the API shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PipelineView:
    """A pipeline and its configuration.

    Attributes:
        id: UUIDv7.
        name: several pipelines may have the same.
        git_repository: where its source is; None for a freestyle pipeline.
        parallel: whether its stages or steps run side by side.
        stages: as they were written, of one in the REST format.
        steps: as they were written, of one in the pipeline language.
        document: the server's whole answer.
    """

    id: UUID
    name: str
    git_repository: str | None
    parallel: bool
    stages: tuple[Mapping[str, Any], ...]
    document: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            id=UUID(document["id"]),
            name=document["name"],
            git_repository=document.get("git_repository") or document.get("repository"),
            parallel=document.get("parallel", False),
            stages=tuple(document.get("stages", ())),
            document=document,
            steps=tuple(document.get("steps", ())),
        )


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The server has done what was asked of it for a pipeline.

    Attributes:
        id: the pipeline's.
        message: what was done, for people.
        run_id: the run that this began; None where it began none.
        document: the server's whole answer.
    """

    id: UUID
    message: str
    run_id: UUID | None
    document: Mapping[str, Any]
