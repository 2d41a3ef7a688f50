"""Pipelines that are kept in a file of their repository: made, kept elsewhere, read again."""

from typing import Final
from uuid import UUID

from lineshaft.model.config_file import ConfigFile
from lineshaft.model.errors import ConflictError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.services.pipelines import PipelineService
from lineshaft.services.sources.reading import SourceReader


class KeptPipelineService:
    """The use cases of pipelines that are kept in repositories.

    Each of them raises InvalidDefinitionError for a file that cannot be read, and SourceRefusedError or
    SourceUnreachableError where the repository cannot; nothing is changed then.
    """

    def __init__(self, reader: SourceReader, pipelines: PipelineService) -> None:
        """Keep pipelines.

        Args:
            reader: reads their files.
            pipelines: the use cases of all pipelines.
        """
        self._reader: Final = reader
        self._pipelines: Final = pipelines

    async def create(self, name: str, kept: ConfigFile, *, by: Actor = INSIDE_ACTOR) -> Pipeline:
        """Make a pipeline of a file.

        Args:
            name: the pipeline's, whatever the file says.
            kept: where the file is.
            by: who wants it.
        """
        definition = await self._reader.tip(name, kept)
        return await self._pipelines.create(definition, by=by, config_file=kept)

    async def replace(
        self, pipeline_id: UUID, name: str, kept: ConfigFile, *, by: Actor = INSIDE_ACTOR
    ) -> Pipeline:
        """Have a pipeline kept in a file, whatever it was before; runs that have begun keep their definition.

        Args:
            pipeline_id: the pipeline's id.
            name: the pipeline's, whatever the file says.
            kept: where the file is.
            by: who wants it.

        Raises:
            PipelineManagedError: the server's file of pipelines keeps the pipeline.
            PipelineNotFoundError: there is none of that id.
        """
        await self._pipelines.get(pipeline_id)
        definition = await self._reader.tip(name, kept)
        return await self._pipelines.replace(pipeline_id, definition, by=by, config_file=kept)

    async def refresh(self, pipeline_id: UUID, *, by: Actor = INSIDE_ACTOR) -> Pipeline:
        """Read a pipeline's file again where its ref points now; what is the same changes nothing.

        Args:
            pipeline_id: the pipeline's id.
            by: who wants it.

        Raises:
            ConflictError: its definition is in no repository.
            PipelineNotFoundError: there is none of that id.
        """
        pipeline = await self._pipelines.get(pipeline_id)
        kept = pipeline.config_file
        if kept is None:
            raise ConflictError(
                f"The definition of '{pipeline.name}' is not kept in a repository.",
                advice="Replace it as a whole, or say in which file of which repository it is.",
            )
        definition = await self._reader.tip(pipeline.name, kept)
        return await self._pipelines.refresh(pipeline_id, definition, by=by, read_from=kept)
