"""The driver of `deploy` tasks: manifests, applied to a Kubernetes cluster and rolled out."""

import asyncio
from functools import partial

from lineshaft.integrations.kubernetes import ClusterAccess, deploy_manifest, deploy_manifests
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.wire.work import DeployWorkMessage, SourceDeployWorkMessage
from lineshaft.worker.drivers.limits import within_limits
from lineshaft.worker.files import with_files
from lineshaft.worker.manifests import BadManifestsError, read_manifests
from lineshaft.worker.source import Source, Sources


class DeployDriver:
    """Deploys with the credentials that one worker has."""

    def __init__(self, access: ClusterAccess, sources: Sources) -> None:
        """Prepare to deploy.

        Args:
            access: where credentials for clusters are.
            sources: checks out where manifests are.
        """
        self._access = access
        self._sources = sources

    async def perform(self, assignment: Assignment) -> Outcome:
        """Apply the manifests and wait for their rollouts; see `worker.driver.Driver`."""
        work = assignment.lease.work
        match work:
            case DeployWorkMessage():
                deploying = deploy_manifest(work.to_model(), access=self._access, sink=assignment.log)
                return await within_limits(assignment, deploying)
            case SourceDeployWorkMessage():
                async with self._sources.checked_out(assignment) as source:
                    if isinstance(source, Outcome):
                        return source
                    deployed = partial(self._deploy_within_limits, assignment, work, source)
                    return await with_files(assignment, source.folder, self._sources.branches_of, deployed)
            case _:
                raise TypeError(f"the deploy driver was given work of kind '{work.kind}'")

    async def _deploy_within_limits(
        self, assignment: Assignment, work: SourceDeployWorkMessage, source: Source
    ) -> Outcome:
        return await within_limits(assignment, self._deploy_source(assignment, work, source))

    async def _deploy_source(
        self, assignment: Assignment, work: SourceDeployWorkMessage, source: Source
    ) -> Outcome:
        try:
            manifests = await asyncio.to_thread(read_manifests, source.folder, work.manifests)
        except BadManifestsError as error:
            return Outcome(State.FAILED, Reason(ReasonCode.MANIFEST_REFUSED, str(error)))
        return await deploy_manifests(manifests, work.cluster, access=self._access, sink=assignment.log)
