"""What workers call, and what looks after them, wired together."""

from dataclasses import dataclass
from datetime import timedelta

from lineshaft.model.limits import Limits
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store
from lineshaft.services.fleet.desk import WorkerDesk
from lineshaft.services.fleet.drivers import DriverService
from lineshaft.services.fleet.losing import Losing
from lineshaft.services.fleet.tending import Tending
from lineshaft.services.fleet.worker_keys import FileKeys, WorkerKeyService
from lineshaft.services.fleet.workers import WorkerService
from lineshaft.services.progress import Progress
from lineshaft.services.secrets.delivery import Logins
from lineshaft.services.secrets.wiring import SecretServices


@dataclass(frozen=True, slots=True)
class FleetServices:
    """Workers, and the leases that they hold.

    Attributes:
        desk: the worker protocol by direct calls.
        workers: the workers, as people look after them.
        drivers: the drivers that others have written, as people look after them.
        worker_keys: what workers prove themselves with.
        losing: ends attempts whose worker is gone.
        tending: has lost leases ended, and brings back what was set aside, in the background.
    """

    desk: WorkerDesk
    workers: WorkerService
    drivers: DriverService
    worker_keys: WorkerKeyService
    losing: Losing
    tending: Tending


def wire_fleet(
    store: Store,
    clock: Clock,
    ids: Ids,
    progress: Progress,
    secrets: SecretServices,
    *,
    logins: Logins,
    lease_time: timedelta,
    limits: Limits,
    file_keys: FileKeys,
) -> FleetServices:
    """Wire the services of workers.

    Args:
        store: where the state is.
        clock: tells the time.
        ids: makes ids.
        progress: moves runs.
        secrets: what tasks are given with their leases.
        logins: what git signs in with where sources are fetched.
        lease_time: how long a lease lives that is not prolonged.
        limits: how many tasks may run at once over all workers.
        file_keys: tells the keys that stand in a file.
    """
    losing = Losing(store, clock, progress, limits)
    keys = WorkerKeyService(store, clock, ids, file_keys)
    return FleetServices(
        desk=WorkerDesk(
            store,
            clock,
            ids,
            progress,
            lease_time,
            limits=limits,
            losing=losing,
            keys=keys,
            secrets=secrets.lookup,
            identity=secrets.identity,
            logins=logins,
        ),
        workers=WorkerService(store, clock, ids, lease_time, losing),
        drivers=DriverService(store, clock, ids, lease_time),
        worker_keys=keys,
        losing=losing,
        tending=Tending(clock, lease_time, losing),
    )
