"""Building an image from the text of a Dockerfile, and pushing it."""

import asyncio
import io
import logging
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.credentials import find_login, registry_of
from lineshaft.docker.engine import connected, unreachable
from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.messages import Lost, Refused, Said, Transcript, listen, no_answer
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import BuildWork
from lineshaft.ports.executor import ByteSink

if TYPE_CHECKING:
    from aiodocker import Docker

_log: Final = logging.getLogger("pipeline.runner")
_UNTAG_SECONDS: Final = 5


async def build_image(
    work: BuildWork, *, access: DockerAccess, run: str, node: str, sink: ByteSink
) -> Outcome:
    """Build an image and push it to its repository.

    The build's context holds the Dockerfile and nothing else. The engine keeps the layers as a cache for the
    next build; the tag stays only if the push succeeded. Cancelling the caller's task stops the build.

    Args:
        work: what to build, and where to.
        access: where the engine and the credentials for registries are.
        run: the run's id, which the image carries as the label `lineshaft.run`.
        node: the node's path, which it carries as `lineshaft.node`.
        sink: takes what the engine prints, as it comes.

    Returns:
        That it succeeded, or failed with one of `docker_unreachable`, `image_build_failed` and
        `image_push_failed`; the exit code is that of the build's command that failed.
    """

    def begin(docker: "Docker") -> AsyncIterator[dict[str, Any]]:
        return docker.images.build(
            fileobj=_context(work.dockerfile),
            encoding="identity",
            stream=True,
            forcerm=True,
            labels=labels_of(run, node),
        )

    return await build_and_push(begin, work.repository, work.tag, access=access, sink=sink)


async def build_and_push(
    begin: "Callable[[Docker], AsyncIterator[dict[str, Any]]]",
    repository: str,
    tag: str,
    *,
    access: DockerAccess,
    sink: ByteSink,
) -> Outcome:
    """Follow a build to its end, and push what it has made.

    Args:
        begin: begins the build, and returns the engine's messages.
        repository: where the image goes.
        tag: its tag there.
        access: where the engine and the credentials for registries are.
        sink: takes what the engine prints, as it comes.

    Returns:
        As `build_image`.
    """
    _log.info("Building the application...")
    async with connected(access) as docker:
        if isinstance(docker, Reason):
            return Outcome(State.FAILED, docker)
        image = _Image(docker, repository, tag, access, sink)
        image_id = await image.build(begin(docker))
        if isinstance(image_id, Outcome):
            return image_id
        _log.info("Uploading to ecr...")
        reason = await image.push(image_id)
        return Outcome(State.SUCCEEDED) if reason is None else Outcome(State.FAILED, reason)


def labels_of(run: str, node: str) -> dict[str, str]:
    """Name the labels by which an image tells what has built it."""
    return {"lineshaft.run": run, "lineshaft.node": node}


class _Image:
    """One image's way through an engine."""

    def __init__(
        self, docker: "Docker", repository: str, tag: str, access: DockerAccess, sink: ByteSink
    ) -> None:
        self._docker = docker
        self._repository = repository
        self._tag_name = tag
        self._access = access
        self._sink = sink
        self._reference = f"{repository}:{tag}"

    async def build(self, stream: AsyncIterator[dict[str, Any]]) -> str | Outcome:
        """Follow a build; answer the image's id, or how it failed."""
        transcript = Transcript()
        image_id = ""
        async with aclosing(listen(stream)) as messages:
            async for message in messages:
                match message:
                    case Said():
                        image_id = message.result.get("ID", image_id)
                        await self._write(transcript.text_of(message))
                    case Refused():
                        text = f"The image could not be built: {message.text}"
                        return Outcome(
                            State.FAILED, Reason(ReasonCode.IMAGE_BUILD_FAILED, text), message.exit_code
                        )
                    case Lost():
                        return Outcome(State.FAILED, unreachable(self._access.address, message.cause))
        return image_id or Outcome(
            State.FAILED, unreachable(self._access.address, "it went away in the middle of the build")
        )

    async def push(self, image_id: str) -> Reason | None:
        """Tag and push; answer why that failed, or None."""
        login = await find_login(registry_of(self._repository), self._access)
        if isinstance(login, Reason):
            return login
        reason = await self._tag(image_id)
        if reason is not None:
            return reason
        pushed = False
        try:
            reason = await self._upload(login or RegistryLogin())
            pushed = reason is None
        finally:
            if not pushed:
                await self._untag()
        return reason

    async def _upload(self, login: RegistryLogin) -> Reason | None:
        transcript = Transcript()
        digest = ""
        stream = self._docker.images.push(
            self._repository, tag=self._tag_name, auth=login.as_header(), stream=True
        )
        async with aclosing(listen(stream)) as messages:
            async for message in messages:
                match message:
                    case Said():
                        digest = message.result.get("Digest", digest)
                        await self._write(transcript.text_of(message))
                    case Refused():
                        return self._not_pushed(message.text)
                    case Lost():
                        return unreachable(self._access.address, message.cause)
        return None if digest else unreachable(self._access.address, "it went away in the middle of the push")

    async def _tag(self, image_id: str) -> Reason | None:
        from aiodocker import DockerError

        try:
            await self._docker.images.tag(image_id, self._repository, tag=self._tag_name)
        except DockerError as error:
            lost = no_answer(error)
            return unreachable(self._access.address, lost.cause) if lost else self._not_pushed(error.message)
        return None

    async def _untag(self) -> None:
        """Take the tag off what was not pushed, as well as a failing engine lets us."""
        from aiodocker import DockerError
        from aiohttp import ClientError

        with suppress(DockerError, ClientError, TimeoutError):
            async with asyncio.timeout(_UNTAG_SECONDS):
                await self._docker.images.delete(self._reference, noprune=True)

    def _not_pushed(self, cause: str) -> Reason:
        return Reason(ReasonCode.IMAGE_PUSH_FAILED, f"{self._reference} could not be pushed: {cause}")

    async def _write(self, text: str) -> None:
        if text:
            await self._sink.write(text.encode(errors="replace"))


def _context(dockerfile: str) -> io.BytesIO:
    """Pack a build context that holds nothing but the Dockerfile."""
    text = dockerfile.encode(errors="replace")
    entry = tarfile.TarInfo("Dockerfile")
    entry.size = len(text)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(text))
    packed.seek(0)
    return packed
