"""What keeps resources and carries them to drivers, wired together."""

from dataclasses import dataclass
from random import Random

from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store
from lineshaft.services.pipelines import Check
from lineshaft.services.progress import Progress
from lineshaft.services.resources.broadcasting import BroadcastService
from lineshaft.services.resources.carrying import Carrying
from lineshaft.services.resources.definitions import ResourceDefinitionService
from lineshaft.services.resources.resources import ResourceService
from lineshaft.services.resources.tending import ResourceTending
from lineshaft.services.sources.reading import SourceReader


@dataclass(frozen=True, slots=True)
class ResourceServices:
    """Resources, and what carries them to drivers.

    Attributes:
        definitions: what the resources of a type look like.
        resources: the use cases of resources.
        broadcasts: messages to drivers.
        tending: brings resources to their drivers that were left behind, or are due, in the background.
    """

    definitions: ResourceDefinitionService
    resources: ResourceService
    broadcasts: BroadcastService
    tending: ResourceTending


def wire_resources(
    store: Store,
    clock: Clock,
    ids: Ids,
    *,
    progress: Progress,
    reader: SourceReader,
    check: Check,
    chance: Random,
    publishes: bool,
) -> ResourceServices:
    """Wire the services of resources.

    Args:
        store: where the state is.
        clock: tells the time.
        ids: makes ids.
        progress: starts runs.
        reader: reads the definitions of pipelines that are kept in repositories.
        check: refuses a definition that the settings do not allow.
        chance: keeps several processes from going round at the same time.
        publishes: whether versions are published for other systems.
    """
    carrying = Carrying(ids, progress, reader, check)
    return ResourceServices(
        definitions=ResourceDefinitionService(store, clock, ids),
        resources=ResourceService(store, clock, ids, carrying, publishes=publishes),
        broadcasts=BroadcastService(store, clock, ids, progress),
        tending=ResourceTending(store, clock, ids, carrying, chance=chance),
    )
