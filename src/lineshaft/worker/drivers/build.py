"""The driver of `build` tasks: an image, built and pushed by a Docker engine."""

from lineshaft.integrations.docker import DockerAccess, build_image
from lineshaft.model.outcome import Outcome
from lineshaft.wire.work import BuildWorkMessage
from lineshaft.worker.driver import Assignment
from lineshaft.worker.drivers.limits import within_limits


class BuildDriver:
    """Builds images with the engine at one address."""

    def __init__(self, access: DockerAccess) -> None:
        self._access = access

    async def perform(self, assignment: Assignment) -> Outcome:
        """Build and push the image; see `worker.driver.Driver`."""
        lease = assignment.lease
        if not isinstance(lease.work, BuildWorkMessage):
            raise TypeError(f"the build driver was given work of kind '{lease.work.kind}'")
        building = build_image(
            lease.work.to_model(),
            access=self._access,
            run=str(lease.address.run_id),
            node=lease.path,
            sink=assignment.log,
        )
        return await within_limits(assignment, building)
