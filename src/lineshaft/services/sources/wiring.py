"""Where runs come from, and what they work on, wired together."""

from dataclasses import dataclass
from random import Random

from lineshaft.ports.clock import Clock
from lineshaft.ports.forge import Forges
from lineshaft.ports.ids import Ids
from lineshaft.ports.repositories import Repositories
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store
from lineshaft.services.pipelines import PipelineService
from lineshaft.services.progress import Progress
from lineshaft.services.sources.connections import ConnectionService
from lineshaft.services.sources.downstream import DownstreamService
from lineshaft.services.sources.keeping import KeptPipelineService
from lineshaft.services.sources.polling import PollService
from lineshaft.services.sources.reading import SourceReader


@dataclass(frozen=True, slots=True)
class SourceServices:
    """Where runs come from, and what they work on.

    Attributes:
        connections: what is known of forges.
        reader: reads revisions and definitions.
        kept: the use cases of pipelines that are kept in repositories.
        polls: looks at repositories again and again.
        downstream: starts what follows the ends of runs.
    """

    connections: ConnectionService
    reader: SourceReader
    kept: KeptPipelineService
    polls: PollService
    downstream: DownstreamService


def wire_sources(
    store: Store,
    clock: Clock,
    ids: Ids,
    *,
    repositories: Repositories,
    secrets: SecretStore,
    forges: Forges,
    pipelines: PipelineService,
    progress: Progress,
) -> SourceServices:
    """Wire the services of sources.

    Args:
        store: where the state is.
        clock: tells the time.
        ids: makes ids.
        repositories: the mirrors.
        secrets: has what connections name.
        forges: what is known of each kind of forge.
        pipelines: the use cases of all pipelines.
        progress: starts runs.
    """
    connections = ConnectionService(store, clock, ids, secrets, forges)
    reader = SourceReader(repositories, connections)
    downstream = DownstreamService(
        store,
        clock,
        ids,
        progress=progress,
        reader=reader,
        repositories=repositories,
        check=pipelines.check,
    )
    return SourceServices(
        connections=connections,
        reader=reader,
        kept=KeptPipelineService(reader, pipelines),
        polls=PollService(store, clock, ids, repositories, reader, chance=Random()),  # noqa: S311 - no secret
        downstream=downstream,
    )
