"""Images for containers: what a definition names becomes an image that the engine has."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.credentials import find_login
from lineshaft.docker.engine import connected
from lineshaft.docker.failure import engine_errors, engine_failure, ours
from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.pull import pull
from lineshaft.docker.reference import Reference, parse_reference
from lineshaft.docker.sharing import Sharing
from lineshaft.model.image import Image, ImageBuild, PullPolicy
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.ports.executor import ByteSink, Container, Login, NotStarted

if TYPE_CHECKING:
    from aiodocker import Docker

_NOT_FOUND: Final = 404


class Images:
    """The images of one engine, for all tasks of a worker at once.

    Attributes:
        access: where the engine and the worker's own credentials for registries are.
    """

    def __init__(self, access: DockerAccess) -> None:
        """Provide images of an engine.

        Args:
            access: where it is, and the worker's own credentials for registries.
        """
        self.access: Final = access
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
            The image's id, or why there is none: IMAGE_NOT_FOUND, IMAGE_PULL_DENIED, IMAGE_BUILD_FAILED; or of
            ours REGISTRY_UNREACHABLE, DISK_FULL, DOCKER_UNREACHABLE.

        Raises:
            Exception: what `output` has raised.
        """
        match image:
            case str():
                return await self._named(docker, image, container, output)
            case ImageBuild():
                raise NotImplementedError

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
        login = await self._login(reference.registry, container.registries)
        if isinstance(login, Reason):
            return NotStarted(login.text, ReasonCode.IMAGE_PULL_DENIED, ours=True)
        return await self._sharing.once((str(reference), login), partial(self._pull, reference, login), output)

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
        text = f"The image {reference} was pulled, and is gone again."
        return found or NotStarted(text, ReasonCode.IMAGE_NOT_FOUND, ours=True)


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
