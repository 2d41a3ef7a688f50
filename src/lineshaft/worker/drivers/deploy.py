"""The driver of `deploy` tasks: a manifest, applied to a Kubernetes cluster and rolled out."""

from lineshaft.integrations.kubernetes import ClusterAccess, deploy_manifest
from lineshaft.model.outcome import Outcome
from lineshaft.wire.work import DeployWorkMessage
from lineshaft.worker.driver import Assignment
from lineshaft.worker.drivers.limits import within_limits


class DeployDriver:
    """Deploys with the credentials that one worker has."""

    def __init__(self, access: ClusterAccess) -> None:
        self._access = access

    async def perform(self, assignment: Assignment) -> Outcome:
        """Apply the manifest and wait for its rollout; see `worker.driver.Driver`."""
        work = assignment.lease.work
        if not isinstance(work, DeployWorkMessage):
            raise TypeError(f"the deploy driver was given work of kind '{work.kind}'")
        deploying = deploy_manifest(work.to_model(), access=self._access, sink=assignment.log)
        return await within_limits(assignment, deploying)
