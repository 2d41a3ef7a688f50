"""What starts runs from outside, wired together."""

from dataclasses import dataclass

from lineshaft.ports.clock import Clock
from lineshaft.ports.forge import Forges
from lineshaft.ports.ids import Ids
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store
from lineshaft.services.sources.connections import ConnectionService


@dataclass(frozen=True, slots=True)
class SourceServices:
    """What starts runs from outside.

    Attributes:
        connections: what is known of forges.
    """

    connections: ConnectionService


def wire_sources(
    store: Store, clock: Clock, ids: Ids, secrets: SecretStore, forges: Forges
) -> SourceServices:
    """Wire the services of sources.

    Args:
        store: where the state is.
        clock: tells the time.
        ids: makes ids.
        secrets: has what connections name.
        forges: what is known of each kind of forge.
    """
    return SourceServices(connections=ConnectionService(store, clock, ids, secrets, forges))
