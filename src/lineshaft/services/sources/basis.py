"""What a run begins with: a definition, and the revision that it works on."""

import asyncio
from dataclasses import dataclass, replace
from typing import Self

from lineshaft.model.config_file import ConfigFile
from lineshaft.model.definition import Definition
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Source
from lineshaft.ports.repositories import Revision
from lineshaft.services.overrides import overridden
from lineshaft.services.run_request import RunRequest
from lineshaft.services.sources.reading import SourceReader


@dataclass(frozen=True, slots=True)
class Basis:
    """What a run of a pipeline begins with.

    Attributes:
        definition: what it is to do.
        source: what it works on; None for a freestyle pipeline.
        read_from: the file in which the definition was; None where the pipeline itself has it.
        name: the pipeline's, when it was read.
    """

    definition: Definition
    source: Source | None
    read_from: ConfigFile | None
    name: str

    @classmethod
    def here(cls, pipeline: Pipeline, request: RunRequest) -> Self:
        """Make that of the definition that a pipeline itself has."""
        definition = pipeline.definition
        source = _usual(pipeline, request).source(definition.repository)
        return cls(definition, source, None, pipeline.name)

    def fits(self, pipeline: Pipeline) -> bool:
        """Whether a pipeline is still kept where this was read."""
        return (self.read_from, self.name) == (pipeline.config_file, pipeline.name)


async def basis_of(reader: SourceReader, pipeline: Pipeline, request: RunRequest) -> Basis:
    """Find out what a run of a pipeline begins with; not within a transaction.

    Args:
        reader: reads the pipeline's file, where it is kept in one.
        pipeline: whose run it is to be.
        request: what it is to be started with.

    Raises:
        InvalidDefinitionError: the file cannot be read at that commit, or the overrides make no sense.
        SourceRefusedError: the repository has no such ref, or the settings do not allow it.
        SourceUnreachableError: the repository does not answer.
    """
    kept = pipeline.config_file
    definition, source = pipeline.definition, request.revision
    if kept is not None:
        if source is None or source.commit is None:
            asked = request.ref if source is None else source.ref
            source = _source(kept, await reader.revision(pipeline, asked), request, asked)
        definition = await reader.definition(pipeline, source.commit or "")
    if request.overrides:
        definition = await asyncio.to_thread(overridden, definition, request.overrides)
    if kept is None:
        source = _usual(pipeline, request).source(definition.repository)
    return Basis(definition, source, kept, pipeline.name)


def _usual(pipeline: Pipeline, request: RunRequest) -> RunRequest:
    """Have what names no ref work on the one that the pipeline is kept with."""
    ref = pipeline.upkeep.ref if pipeline.config_file is None else pipeline.config_file.ref
    return request if request.ref is not None or ref is None else replace(request, ref=ref)


def _source(kept: ConfigFile, revision: Revision, request: RunRequest, asked: str | None) -> Source:
    given = request.revision
    return Source(
        kept.repository,
        revision.commit,
        ref=asked or kept.ref,
        branch=revision.branch,
        tag=revision.tag,
        message=revision.message,
        author=revision.author,
        changeset=request.changed if given is None else given.changeset,
    )
