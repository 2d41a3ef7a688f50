"""Building an image from a Dockerfile and a folder of the source, and pushing it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.context import pack
from lineshaft.docker.ignore import BadIgnoreError, read_ignore
from lineshaft.docker.image import build_and_push, labels_of
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import SourceBuildWork
from lineshaft.ports.executor import ByteSink

if TYPE_CHECKING:
    from aiodocker import Docker


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """What of the source an image is built from; real paths, at which nothing else is at work.

    Attributes:
        dockerfile: the Dockerfile, within the context or outside of it.
        context: the folder that the build may use.
    """

    dockerfile: Path
    context: Path


async def build_source_image(
    work: SourceBuildWork, files: SourceFiles, *, access: DockerAccess, run: str, node: str, sink: ByteSink
) -> Outcome:
    """Build an image from the source and push it to its repository.

    The engine is sent the context as it is read, so that memory stays flat, without what its `.dockerignore`
    leaves out (https://docs.docker.com/build/concepts/context/#dockerignore-files). A file named after the
    Dockerfile with `.dockerignore` behind it takes its place.

    Args:
        work: what to build, and where to; its paths are those in `files`.
        files: what to build from.
        access: where the engine and the credentials for registries are.
        run: the run's id, which the image carries as the label `lineshaft.run`.
        node: the node's path, which it carries as `lineshaft.node`.
        sink: takes what the engine prints, as it comes.

    Returns:
        As `build_image`.
    """
    try:
        ignore = read_ignore(files.dockerfile, files.context)
    except BadIgnoreError as error:
        text = f"The image could not be built: {error}"
        return Outcome(State.FAILED, Reason(ReasonCode.IMAGE_BUILD_FAILED, text))
    packed = pack(files.context, files.dockerfile, ignore)
    params = {
        "dockerfile": packed.dockerfile,
        "forcerm": True,
        "rm": True,
        "labels": labels_of(run, node),
        "buildargs": dict(work.args),
        "target": work.target,
    }

    def begin(docker: "Docker") -> AsyncIterator[dict[str, Any]]:
        return _build(docker, params, packed.pieces())

    return await build_and_push(begin, work.repository, work.tags[0], access=access, sink=sink)


def _build(
    docker: "Docker", params: dict[str, Any], pieces: AsyncIterator[bytes]
) -> AsyncIterator[dict[str, Any]]:
    # The client's own method for this knows no `target`.
    query = docker._query(  # noqa: SLF001
        "build",
        "POST",
        params=_as_text(params),
        headers={"Content-Type": "application/x-tar"},
        data=pieces,
        timeout=None,
    )
    return docker.images._handle_stream(query)  # type: ignore[no-any-return,no-untyped-call] # noqa: SLF001


def _as_text(params: dict[str, Any]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in params.items()
        if value is not None
    }
