"""What starts runs from outside, wired together."""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from lineshaft.ports.clock import Clock
from lineshaft.ports.forge import Forges
from lineshaft.ports.ids import Ids
from lineshaft.ports.pipelines_text import PipelinesText
from lineshaft.ports.repositories import Repositories
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store
from lineshaft.services.pipelines import PipelineService
from lineshaft.services.progress import Progress
from lineshaft.services.sources.calling import CallingService
from lineshaft.services.sources.connections import ConnectionService
from lineshaft.services.sources.deliveries import DeliveryService
from lineshaft.services.sources.downstream import DownstreamService
from lineshaft.services.sources.handling import DeliveryHandling
from lineshaft.services.sources.keeping import KeptPipelineService
from lineshaft.services.sources.noting import Noting
from lineshaft.services.sources.polling import PollService
from lineshaft.services.sources.preparing import Preparing
from lineshaft.services.sources.program_calls import ProgramCallService
from lineshaft.services.sources.reading import SourceReader
from lineshaft.services.sources.shared_basis import SharedBasis

if TYPE_CHECKING:
    from lineshaft.services.sources.pipelines_file import PipelinesFile


@dataclass(frozen=True, slots=True)
class SourceServices:
    """What starts runs from outside, and what is read from repositories.

    Attributes:
        connections: what is known of forges.
        reader: reads revisions and definitions.
        kept: the use cases of pipelines that are kept in repositories.
        deliveries: what came in.
        handling: sees to it.
        calls: the use case of calls by programs.
        file: keeps pipelines as the server's file says; None where it has none.
        polls: looks at repositories again and again.
        downstream: starts what follows the ends of runs.
        calling: makes the runs that nodes ask for.
    """

    connections: ConnectionService
    reader: SourceReader
    kept: KeptPipelineService
    deliveries: DeliveryService
    handling: DeliveryHandling
    calls: ProgramCallService
    file: "PipelinesFile | None"
    polls: PollService
    downstream: DownstreamService
    calling: CallingService


@dataclass(frozen=True, slots=True)
class Outside:
    """What services of sources need from outside.

    Attributes:
        secrets: has what connections name.
        forges: what is known of each kind of forge.
        repositories: the mirrors.
        pipelines: the server's file of pipelines; None where it has none.
        chance: keeps what is done again and again from falling together.
    """

    secrets: SecretStore
    forges: Forges
    repositories: Repositories
    pipelines: PipelinesText | None = None
    chance: Random = field(default_factory=Random)


def wire_sources(
    store: Store, clock: Clock, ids: Ids, outside: Outside, *, pipelines: PipelineService, progress: Progress
) -> SourceServices:
    """Wire the services of sources.

    Args:
        store: where the state is.
        clock: tells the time.
        ids: makes ids.
        outside: forges, repositories, and what they are signed in to with.
        pipelines: the use cases of all pipelines.
        progress: starts runs.
    """
    connections = ConnectionService(store, clock, ids, outside.secrets, outside.forges)
    reader = SourceReader(outside.repositories, connections)
    kept = KeptPipelineService(reader, pipelines)
    handling = DeliveryHandling(
        store,
        clock,
        connections=connections,
        preparing=Preparing(outside.repositories, reader, connections),
        noting=Noting(store, clock, ids, progress),
        kept=kept,
    )
    deliveries = DeliveryService(store, clock, ids, connections, outside.forges)
    calls = ProgramCallService(store, clock, ids, progress, reader=reader, repositories=outside.repositories)
    file = None if outside.pipelines is None else _file(outside.pipelines, pipelines, outside.chance)
    polls = PollService(store, clock, ids, outside.repositories, reader, chance=outside.chance)
    shared = SharedBasis(reader, outside.repositories, pipelines.check)
    downstream = DownstreamService(store, clock, ids, progress=progress, shared=shared)
    calling = CallingService(store, clock, progress, shared)
    return SourceServices(
        connections, reader, kept, deliveries, handling, calls, file, polls, downstream, calling
    )


def _file(text: PipelinesText, pipelines: PipelineService, chance: Random) -> "PipelinesFile":
    # What reads its language takes long to load, and most servers keep no such file.
    from lineshaft.services.sources.pipelines_file import PipelinesFile

    return PipelinesFile(text, pipelines, chance)
