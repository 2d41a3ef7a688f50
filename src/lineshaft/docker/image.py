"""Building an image and pushing it under its tags."""

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.engine import connected
from lineshaft.docker.logins import Logins
from lineshaft.docker.making import NO_LOGINS, Making
from lineshaft.docker.push import Pusher
from lineshaft.docker.recipe import Recipe, SourceFiles, Workshop
from lineshaft.docker.trouble import Trouble, engine_trouble
from lineshaft.model.image_name import registry_of
from lineshaft.model.reason import Reason
from lineshaft.model.work import BuildWork
from lineshaft.ports.executor import ByteSink, Login

_log: Final = logging.getLogger("pipeline.runner")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an image goes.

    Attributes:
        repository: the image repository without a tag, `host[:port]/name`.
        tags: its tags there, one at least.
        push: whether it is pushed; otherwise it has its tags in the engine alone.
    """

    repository: str
    tags: tuple[str, ...]
    push: bool = True


@dataclass(frozen=True, slots=True)
class Built:
    """An image that has been built, and pushed where it was to be.

    Attributes:
        digest: of what was pushed; the image's id in the engine where nothing was.
        image: the name by which nobody gets anything else: the repository with the digest, or the id.
    """

    digest: str
    image: str


async def build_and_push(
    recipe: Recipe,
    destination: Destination,
    *,
    access: DockerAccess,
    workshop: Workshop | None,
    sink: ByteSink,
    registries: Mapping[str, Login] = NO_LOGINS,
) -> Built | Trouble:
    """Build an image, and push it under each of its tags; its layers are pushed once.

    The engine keeps the layers as a cache for the next build; a tag stays there only if its push succeeded.
    Cancelling the caller's task stops the build.

    Args:
        recipe: what to build.
        destination: where it goes.
        access: where the engine and the worker's own credentials for registries are.
        workshop: see `making.make_image`.
        sink: takes what the engine prints, as it comes.
        registries: with what registries are asked, by their hosts; see `making.make_image`.

    Returns:
        What was built, or why nothing was.
    """
    _log.info("Building the application...")
    async with connected(access) as docker:
        if isinstance(docker, Reason):
            return engine_trouble(docker)
        logins = Logins(access, registries)
        made = await Making(docker, access, logins, sink).make(recipe, workshop)
        if isinstance(made, Trouble):
            return made
        pusher = Pusher(docker, access.address, sink)
        if not destination.push:
            return await _keep(pusher, made.image_id, destination)
        _log.info("Uploading to ecr...")
        return await _push(pusher, made.image_id, destination, logins)


async def build_image(
    work: BuildWork,
    *,
    access: DockerAccess,
    workshop: Workshop | None,
    labels: Mapping[str, str],
    sink: ByteSink,
    registries: Mapping[str, Login] = NO_LOGINS,
) -> Built | Trouble:
    """Build an image from the text of a Dockerfile, and push it to its repository.

    The build's context holds the Dockerfile and nothing else.

    Args:
        work: what to build, and where to.
        access: where the engine and the worker's own credentials for registries are.
        workshop: see `making.make_image`.
        labels: what the image says of itself.
        sink: takes what the engine prints, as it comes.
        registries: with what registries are asked, by their hosts; see `making.make_image`.

    Returns:
        What was built, or why nothing was.
    """
    home = None if workshop is None else workshop.folder
    with tempfile.TemporaryDirectory(prefix="context-", dir=home) as name:
        dockerfile = Path(name) / "Dockerfile"
        dockerfile.write_bytes(work.dockerfile.encode(errors="replace"))
        return await build_and_push(
            Recipe(SourceFiles(dockerfile, dockerfile.parent), labels=labels),
            Destination(work.repository, (work.tag,)),
            access=access,
            workshop=workshop,
            sink=sink,
            registries=registries,
        )


async def _keep(pusher: Pusher, image_id: str, destination: Destination) -> Built | Trouble:
    for tag in destination.tags:
        trouble = await pusher.tag(image_id, (destination.repository, tag))
        if trouble is not None:
            return trouble
    return Built(image_id, image_id)


async def _push(pusher: Pusher, image_id: str, destination: Destination, logins: Logins) -> Built | Trouble:
    login = await logins.find(registry_of(destination.repository))
    if isinstance(login, Reason):
        return Trouble(login)
    digest = ""
    for tag in destination.tags:
        pushed = await pusher.push(image_id, (destination.repository, tag), login)
        if isinstance(pushed, Trouble):
            return pushed
        digest = pushed
    return Built(digest, f"{destination.repository}@{digest}")
