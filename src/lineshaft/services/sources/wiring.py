"""The repositories of pipelines, and what is read there, wired together."""

from dataclasses import dataclass

from lineshaft.ports.repositories import Repositories
from lineshaft.services.pipelines import PipelineService
from lineshaft.services.sources.keeping import KeptPipelineService
from lineshaft.services.sources.reading import Logins, SourceReader


@dataclass(frozen=True, slots=True)
class SourceServices:
    """What is read from repositories.

    Attributes:
        reader: reads revisions and definitions.
        kept: the use cases of pipelines that are kept in repositories.
    """

    reader: SourceReader
    kept: KeptPipelineService


def wire_sources(repositories: Repositories, logins: Logins, pipelines: PipelineService) -> SourceServices:
    """Wire the services of sources.

    Args:
        repositories: the mirrors.
        logins: knows what to sign in with.
        pipelines: the use cases of all pipelines.
    """
    reader = SourceReader(repositories, logins)
    return SourceServices(reader, KeptPipelineService(reader, pipelines))
