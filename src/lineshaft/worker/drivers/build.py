"""The driver of `build` tasks: an image, built and pushed by a Docker engine."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import assert_never

from lineshaft.docker import (
    Built,
    Destination,
    DockerAccess,
    Recipe,
    SourceFiles,
    Trouble,
    Workshop,
    build_and_push,
    build_image,
)
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.executor import Login
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.wire.work import BuildWorkMessage, SourceBuildWorkMessage
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.confined import OutsideError, confined
from lineshaft.worker.drivers.limits import within_limits
from lineshaft.worker.files import with_files
from lineshaft.worker.source import Source, Sources
from lineshaft.worker.ssh import NoAgentError, refused
from lineshaft.worker.workshops import Workshops


class BuildDriver:
    """Builds images with the engine at one address."""

    def __init__(self, access: DockerAccess, sources: Sources, workshops: Workshops | None = None) -> None:
        """Prepare to build.

        Args:
            access: where the engine and the credentials for registries are.
            sources: checks out what images are built from.
            workshops: where the docker program may be called, by which BuildKit is spoken to; None leaves
                only the classic builder.
        """
        self._access = access
        self._sources = sources
        self._workshops = workshops

    async def perform(self, assignment: Assignment) -> Outcome:
        """Build and push the image; see `worker.driver.Driver`."""
        work = assignment.lease.work
        match work:
            case BuildWorkMessage():
                return await within_limits(assignment, self._build(assignment, work))
            case SourceBuildWorkMessage():
                return await self._build_source(assignment, work)
            case _:
                raise TypeError(f"the build driver was given work of kind '{work.kind}'")

    async def _build(self, assignment: Assignment, work: BuildWorkMessage) -> Outcome:
        async with self._workshop(assignment.lease) as workshop:
            built = await build_image(
                work.to_model(),
                access=self._access,
                workshop=workshop,
                labels=_labels(assignment.lease),
                sink=assignment.log,
                registries=_logins(assignment.lease),
            )
            return outcome_of(built, assignment.lease)

    async def _build_source(self, assignment: Assignment, work: SourceBuildWorkMessage) -> Outcome:
        async with self._sources.checked_out(assignment) as source:
            if isinstance(source, Outcome):
                return source
            building = partial(self._build_in, assignment, work, source)
            return await with_files(assignment, source.folder, self._sources.branches_of, building)

    async def _build_in(
        self, assignment: Assignment, work: SourceBuildWorkMessage, source: Source
    ) -> Outcome:
        files = _files(source.folder, work)
        if isinstance(files, Outcome):
            return files
        return await within_limits(assignment, self._build_files(assignment, work, files))

    async def _build_files(
        self, assignment: Assignment, work: SourceBuildWorkMessage, files: SourceFiles
    ) -> Outcome:
        lease = assignment.lease
        missing = [name for name in work.secrets if name not in lease.secret_values]
        if missing:
            text = f"The build's secrets were not given to this worker: {', '.join(missing)}."
            return Outcome(State.FAILED, Reason(ReasonCode.SECRET_MISSING, text))
        recipe = Recipe(
            files,
            target=work.target,
            args=work.args,
            labels=_labels(lease),
            secrets={name: lease.secret_values[name] for name in work.secrets},
            cache=work.cache,
            origin=work.dockerfile,
        )
        said = work.to_model()
        destination = Destination(said.repository, said.tags, push=said.push)
        async with AsyncExitStack() as stack:
            workshop = await stack.enter_async_context(self._workshop(lease))
            if self._workshops is not None:
                try:
                    socket = await stack.enter_async_context(self._workshops.agent(lease))
                except NoAgentError as error:
                    return refused(error)
                recipe = replace(recipe, ssh=socket)
            built = await build_and_push(
                recipe,
                destination,
                access=self._access,
                workshop=workshop,
                sink=assignment.log,
                registries=_logins(lease),
            )
            return outcome_of(built, lease)

    def _workshop(self, lease: LeaseMessage) -> AbstractAsyncContextManager[Workshop | None]:
        return nullcontext() if self._workshops is None else self._workshops.lent(lease)


def outcome_of(built: Built | Trouble, lease: LeaseMessage) -> Outcome:
    """Tell how a build went, with the outputs that later nodes use."""
    match built:
        case Built(digest=digest, image=image):
            told = {"digest": digest, "image": image}
            return Outcome(
                State.SUCCEEDED, outputs={name: told[name] for name in lease.outputs if name in told}
            )
        case Trouble(reason=reason, exit_code=exit_code, ours=ours):
            return Outcome(State.LOST if ours else State.FAILED, reason, exit_code)
        case _:
            assert_never(built)


def _files(folder: Path, work: SourceBuildWorkMessage) -> SourceFiles | Outcome:
    """Find what the build is made from, all of it within the source."""
    try:
        dockerfile = confined(folder, work.dockerfile)
    except OutsideError as error:
        return _refused(f"the Dockerfile {work.dockerfile!r} {error}")
    try:
        context = confined(folder, work.context)
    except OutsideError as error:
        return _refused(f"the context {work.context!r} {error}")
    if not dockerfile.is_file():
        return _refused(f"the Dockerfile {work.dockerfile!r} is no file")
    if not context.is_dir():
        return _refused(f"the context {work.context!r} is no folder")
    return SourceFiles(dockerfile, context)


def _labels(lease: LeaseMessage) -> dict[str, str]:
    return {"lineshaft.run": str(lease.address.run_id), "lineshaft.node": lease.path}


def _logins(lease: LeaseMessage) -> dict[str, Login]:
    return {
        host: Login(access.username, lease.secret_values[access.password])
        for host, access in lease.registries.items()
        if access.password in lease.secret_values
    }


def _refused(cause: str) -> Outcome:
    text = f"The image could not be built: {cause}."
    return Outcome(State.FAILED, Reason(ReasonCode.IMAGE_BUILD_FAILED, text))
