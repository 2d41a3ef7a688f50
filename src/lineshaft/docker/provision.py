"""Images for containers: what a definition names becomes an image that the engine has."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.built import KEPT_UNUSED, Plan, mark_as_used, plan, remove_unused
from lineshaft.docker.engine import connected
from lineshaft.docker.failure import engine_errors, engine_failure, ours
from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.logins import Logins
from lineshaft.docker.making import make_image
from lineshaft.docker.pull import pull
from lineshaft.docker.recipe import Workshop
from lineshaft.docker.sharing import Sharing
from lineshaft.docker.trouble import Trouble
from lineshaft.model.image import Image, ImageBuild, PullPolicy
from lineshaft.model.image_name import Reference, parse_reference
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.ports.executor import ByteSink, Container, NotStarted

if TYPE_CHECKING:
    from aiodocker import Docker

_NOT_FOUND: Final = 404
_CLEANING_PERIOD: Final = timedelta(hours=1)
_CLOCK: Final = SystemClock()


class Images:
    """The images of one engine, for all tasks of a worker at once.

    Attributes:
        access: where the engine and the worker's own credentials for registries are.
    """

    def __init__(
        self,
        access: DockerAccess,
        *,
        workshop: Callable[[], AbstractAsyncContextManager[Workshop]] | None = None,
        clock: Clock = _CLOCK,
    ) -> None:
        """Provide images of an engine.

        Args:
            access: where it is, and the worker's own credentials for registries.
            workshop: lends what builds with BuildKit need; None leaves only the classic builder.
            clock: tells for how long images were not used.
        """
        self.access: Final = access
        self._workshop: Final = workshop
        self._clock: Final = clock
        self._cleaned_at: datetime | None = None
        self._sharing: Final[Sharing[str | NotStarted]] = Sharing()

    async def provide(
        self, docker: "Docker", image: Image, container: Container, output: ByteSink
    ) -> str | NotStarted:
        """See to it that the engine has an image.

        Callers that want the same one at the same time share the pull or the build. That goes over a
        connection of its own, so that it survives whoever has begun it.

        Args:
            docker: the engine, connected.
            image: what is wanted.
            container: for whom: its workspace, its credentials and when it wants images to be pulled.
            output: takes what is told of a pull or a build; nothing where the engine has the image.

        Returns:
            The image's id, or why there is none: IMAGE_NOT_FOUND, IMAGE_PULL_DENIED, IMAGE_BUILD_FAILED; or
            of ours REGISTRY_UNREACHABLE, DISK_FULL, DOCKER_UNREACHABLE.

        Raises:
            Exception: what `output` has raised.
        """
        match image:
            case str():
                return await self._named(docker, image, container, output)
            case ImageBuild():
                known = next((each.id for each in container.built if each.build == image), None)
                return known or await self._built(docker, image, container, output)

    async def _named(
        self, docker: "Docker", name: str, container: Container, output: ByteSink
    ) -> str | NotStarted:
        reference = parse_reference(name)
        if reference is None:
            return NotStarted(f'"{name[:200]}" is not the name of an image.', ReasonCode.IMAGE_NOT_FOUND)
        if container.pull is not PullPolicy.ALWAYS:
            found = await find_image(docker, str(reference), self.access.address)
            if found is not None:
                return found
        if container.pull is PullPolicy.NEVER:
            text = f"The engine has no image {reference}, and the task says that none is to be pulled."
            return NotStarted(text, ReasonCode.IMAGE_NOT_FOUND)
        login = await Logins(self.access, container.registries).find(reference.registry)
        if isinstance(login, Reason):
            return NotStarted(login.text, ReasonCode.IMAGE_PULL_DENIED, ours=True)
        pulling = partial(self._pull, reference, login)
        return await self._sharing.once((str(reference), login), pulling, output)

    async def _built(
        self, docker: "Docker", build: ImageBuild, container: Container, output: ByteSink
    ) -> str | NotStarted:
        planned = await asyncio.to_thread(plan, build, container.source)
        if isinstance(planned, NotStarted):
            return planned
        if container.pull is not PullPolicy.ALWAYS:
            found = await find_image(docker, planned.name, self.access.address)
            used = await self._use(docker, found, planned) if isinstance(found, str) else found
            if isinstance(used, str):
                told = f"The image was built before, of the same files: {planned.name}.\n"
                await output.write(told.encode())
            # What was removed between the two looks is built anew.
            if isinstance(used, str) or (used is not None and used.ours):
                return used
        given = tuple(
            sorted((host, login.username, login.password) for host, login in container.registries.items())
        )
        building = partial(self._build, planned, container)
        return await self._sharing.once((planned.name, build.cache, given), building, output)

    async def _build(self, planned: Plan, container: Container, output: ByteSink) -> str | NotStarted:
        async with self._workshop() if self._workshop else nullcontext() as workshop:
            made = await make_image(
                planned.recipe(container.marks),
                access=self.access,
                workshop=workshop,
                sink=output,
                registries=container.registries,
            )
        if isinstance(made, Trouble):
            return NotStarted(made.reason.text, made.reason.code, ours=made.ours)
        async with connected(self.access) as docker:
            if isinstance(docker, Reason):
                return ours(docker)
            used = await self._use(docker, made.image_id, planned)
            await self._clean(docker)
        return used

    async def _use(self, docker: "Docker", image_id: str, planned: Plan) -> str | NotStarted:
        try:
            await mark_as_used(docker, image_id, planned.tag)
        except engine_errors() as error:
            what = "The image that was built could not be named"
            return engine_failure(what, error, self.access.address, ReasonCode.IMAGE_BUILD_FAILED)
        return image_id

    async def _clean(self, docker: "Docker") -> None:
        """Make room now and then, so that a worker that never starts anew does not fill the disk."""
        now = self._clock.now()
        if self._cleaned_at is None or now - self._cleaned_at >= _CLEANING_PERIOD:
            self._cleaned_at = now
            await remove_unused(docker, now - KEPT_UNUSED)

    async def _pull(
        self, reference: Reference, login: RegistryLogin | None, output: ByteSink
    ) -> str | NotStarted:
        async with connected(self.access) as docker:
            if isinstance(docker, Reason):
                return ours(docker)
            refusal = await pull(docker, reference, login, address=self.access.address, output=output)
            if refusal is not None:
                return refusal
            found = await find_image(docker, str(reference), self.access.address)
            if isinstance(found, str) and (warning := await _why_unfit(docker, found)):
                await output.write(warning.encode())
        text = f"The image {reference} was pulled, and is gone again."
        return found or NotStarted(text, ReasonCode.IMAGE_NOT_FOUND, ours=True)


async def _why_unfit(docker: "Docker", image: str) -> str | None:
    """Warn of an image for another kind of processor, which runs only where that is emulated."""
    try:
        made_for = (await docker.images.inspect(image)).get("Architecture")
        machine = (await docker.version()).get("Arch")
    except engine_errors():
        return None
    if not made_for or not machine or made_for == machine:
        return None
    return f"The image is made for {made_for}, and the engine's machine is {machine}.\n"


async def find_image(docker: "Docker", name: str, address: str) -> str | NotStarted | None:
    """Look for an image.

    Args:
        docker: the engine.
        name: with a tag or a digest, so that it cannot be taken for the beginning of an id.
        address: the engine's, for messages.

    Returns:
        Its id; None where the engine has none of that name; else why it does not answer.
    """
    from aiodocker import DockerError

    try:
        return str((await docker.images.inspect(name))["Id"])
    except engine_errors() as error:
        if isinstance(error, DockerError) and error.status == _NOT_FOUND:
            return None
        what = f"The image {name} could not be looked for"
        return engine_failure(what, error, address, ReasonCode.IMAGE_NOT_FOUND)
