"""A control plane and a worker at its desk that does what a test tells it."""

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.outcome import Outcome
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import NOTHING_SPECIAL, RunRequest
from lineshaft.wire.worker import ClaimRequest, Hello, LeaseMessage, Report, Welcome

SUCCEEDED = Outcome(State.SUCCEEDED, exit_code=0)


class DeskWorker:
    """A worker that claims and reports by direct calls; it registers once."""

    def __init__(self, plane: ControlPlane, name: str = "w", *, hello: Hello | None = None) -> None:
        self.plane = plane
        self._hello = hello or Hello(name=name, kinds=frozenset({WorkKind.RUN}), slots=100)
        self._welcome: Welcome | None = None

    async def pipeline(self, text: str) -> Pipeline:
        """Create a pipeline."""
        return await self.plane.pipelines.create(read_native(text.encode()))

    async def start(self, text: str, request: RunRequest = NOTHING_SPECIAL) -> Run:
        """Create a pipeline, and start a run of it."""
        return await self.plane.runs.trigger((await self.pipeline(text)).id, request)

    async def claim(self, slots: int = 1, *, wait_seconds: float = 0) -> dict[str, LeaseMessage]:
        """Claim what is queued; by path."""
        worker_id = (await self._registered()).worker_id
        request = ClaimRequest(worker_id=worker_id, slots=slots, wait_seconds=wait_seconds)
        return {lease.path: lease for lease in (await self.plane.fleet.desk.claim(request)).leases}

    async def report(self, lease: LeaseMessage, outcome: Outcome = SUCCEEDED) -> Run:
        """Report an attempt, and return its run as it is then."""
        worker = await self._registered()
        report = Report(worker_id=worker.worker_id, address=lease.address, token=lease.token, outcome=outcome)
        await self.plane.fleet.desk.report(report)
        return await self.plane.runs.get(lease.address.run_id)

    async def _registered(self) -> Welcome:
        if self._welcome is None:
            self._welcome = await self.plane.fleet.desk.register(self._hello)
        return self._welcome
