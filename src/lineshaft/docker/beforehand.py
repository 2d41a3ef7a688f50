"""Images of a container that are built before anything is put into the workspace that they are made of."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from lineshaft.docker.provision import Images
from lineshaft.docker.turns import in_turns
from lineshaft.model.image import ImageBuild
from lineshaft.ports.executor import BuiltImage, ByteSink, Container, NotStarted

if TYPE_CHECKING:
    from aiodocker import Docker


def has_builds(container: Container) -> bool:
    """Tell whether a container, or a service beside it, is made of an image that is still to be built."""
    return bool(_builds(container))


async def build_beforehand(
    images: Images, docker: "Docker", container: Container, output: ByteSink
) -> Container | NotStarted:
    """Build what a container and its services are to be made of, all at the same time.

    Args:
        images: the images of the engine.
        docker: the engine, connected.
        container: for whom.
        output: takes what is told of the builds.

    Returns:
        The container, which knows its images; or why one of them could not be built, as `Images.provide` says
        it. The others are given up then.

    Raises:
        Exception: what `output` has raised.
    """
    shared = in_turns(output)

    async def build(service: str, wanted: ImageBuild) -> BuiltImage | NotStarted:
        image = await images.provide(docker, wanted, container, shared)
        if isinstance(image, str):
            return BuiltImage(wanted, image)
        return replace(image, text=f"The service {service}: {image.text}") if service else image

    tasks = [asyncio.create_task(build(service, wanted)) for service, wanted in _builds(container)]
    built: list[BuiltImage] = []
    try:
        for task in asyncio.as_completed(tasks):
            result = await task
            if isinstance(result, NotStarted):
                return result
            built.append(result)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return replace(container, built=tuple(built))


def _builds(container: Container) -> list[tuple[str, ImageBuild]]:
    """List what is to be built, each once, with its service; that of the container itself has no name."""
    images = {"": container.image, **{name: service.image for name, service in container.services.items()}}
    known = [each.build for each in container.built]
    wanted: list[tuple[str, ImageBuild]] = []
    for name, image in images.items():
        if isinstance(image, ImageBuild) and image not in known:
            known.append(image)
            wanted.append((name, image))
    return wanted
