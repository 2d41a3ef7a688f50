"""The driver of `build` tasks: an image, built and pushed by a Docker engine."""

from functools import partial

from lineshaft.docker import DockerAccess, SourceFiles, build_image, build_source_image
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.wire.work import BuildWorkMessage, SourceBuildWorkMessage
from lineshaft.worker.confined import OutsideError, confined
from lineshaft.worker.driver import Assignment
from lineshaft.worker.drivers.limits import within_limits
from lineshaft.worker.files import with_files
from lineshaft.worker.source import Source, Sources


class BuildDriver:
    """Builds images with the engine at one address."""

    def __init__(self, access: DockerAccess, sources: Sources) -> None:
        """Prepare to build.

        Args:
            access: where the engine and the credentials for registries are.
            sources: checks out what images are built from.
        """
        self._access = access
        self._sources = sources

    async def perform(self, assignment: Assignment) -> Outcome:
        """Build and push the image; see `worker.driver.Driver`."""
        work = assignment.lease.work
        match work:
            case BuildWorkMessage():
                return await self._build(assignment, work)
            case SourceBuildWorkMessage():
                return await self._build_source(assignment, work)
            case _:
                raise TypeError(f"the build driver was given work of kind '{work.kind}'")

    async def _build(self, assignment: Assignment, work: BuildWorkMessage) -> Outcome:
        lease = assignment.lease
        building = build_image(
            work.to_model(),
            access=self._access,
            run=str(lease.address.run_id),
            node=lease.path,
            sink=assignment.log,
        )
        return await within_limits(assignment, building)

    async def _build_source(self, assignment: Assignment, work: SourceBuildWorkMessage) -> Outcome:
        async with self._sources.checked_out(assignment) as source:
            if isinstance(source, Outcome):
                return source
            building = partial(self._build_in, assignment, work, source)
            return await with_files(assignment, source.folder, self._sources.branches_of, building)

    async def _build_in(
        self, assignment: Assignment, work: SourceBuildWorkMessage, source: Source
    ) -> Outcome:
        lease = assignment.lease
        try:
            dockerfile = confined(source.folder, work.dockerfile)
        except OutsideError as error:
            return _refused(f"the Dockerfile {work.dockerfile!r} {error}")
        try:
            context = confined(source.folder, work.context)
        except OutsideError as error:
            return _refused(f"the context {work.context!r} {error}")
        if not dockerfile.is_file():
            return _refused(f"the Dockerfile {work.dockerfile!r} is no file")
        if not context.is_dir():
            return _refused(f"the context {work.context!r} is no folder")
        building = build_source_image(
            work.to_model(),
            SourceFiles(dockerfile, context),
            access=self._access,
            run=str(lease.address.run_id),
            node=lease.path,
            sink=assignment.log,
        )
        return await within_limits(assignment, building)


def _refused(cause: str) -> Outcome:
    text = f"The image could not be built: {cause}."
    return Outcome(State.FAILED, Reason(ReasonCode.IMAGE_BUILD_FAILED, text))
