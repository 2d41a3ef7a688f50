"""Pushing images of the engine to their registries, under their names."""

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final

from lineshaft.docker.engine import unreachable
from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.messages import Lost, Refused, Said, Transcript, listen, no_answer
from lineshaft.docker.trouble import Trouble, engine_trouble, push_trouble
from lineshaft.ports.executor import ByteSink

if TYPE_CHECKING:
    from aiodocker import Docker

_UNTAG_SECONDS: Final = 5


class Pusher:
    """Names the images of one engine, and pushes them."""

    def __init__(self, docker: "Docker", address: str, sink: ByteSink) -> None:
        """Prepare to push.

        Args:
            docker: the engine.
            address: the engine's, for messages.
            sink: takes what the engine prints, as it comes.
        """
        self._docker = docker
        self._address = address
        self._sink = sink

    async def push(self, image_id: str, name: tuple[str, str], login: RegistryLogin | None) -> str | Trouble:
        """Tag an image, and push it. The tag stays only if the push succeeded.

        Args:
            image_id: which image.
            name: the repository and the tag.
            login: with what the registry is asked.

        Returns:
            The digest under which the registry has it, or why it has not.
        """
        trouble = await self.tag(image_id, name)
        if trouble is not None:
            return trouble
        pushed = False
        try:
            answer = await self.upload(name, login)
            pushed = isinstance(answer, str)
        finally:
            if not pushed:
                await self.untag(name)
        return answer

    async def tag(self, image_id: str, name: tuple[str, str]) -> Trouble | None:
        """Give an image a name; answer why that failed, or None."""
        from aiodocker import DockerError

        repository, tag = name
        try:
            await self._docker.images.tag(image_id, repository, tag=tag)
        except DockerError as error:
            lost = no_answer(error)
            if lost:
                return engine_trouble(unreachable(self._address, lost.cause))
            return push_trouble(":".join(name), error.message)
        return None

    async def untag(self, name: tuple[str, str]) -> None:
        """Take a name off, as well as a failing engine lets us; the image stays."""
        from aiodocker import DockerError
        from aiohttp import ClientError

        with suppress(DockerError, ClientError, TimeoutError):
            async with asyncio.timeout(_UNTAG_SECONDS):
                await self._docker.images.delete(":".join(name), noprune=True)

    async def say(self, text: str) -> None:
        """Write a text where the engine's own go."""
        if text:
            await self._sink.write(text.encode(errors="replace"))

    async def upload(self, name: tuple[str, str], login: RegistryLogin | None) -> str | Trouble:
        """Push the image that has a name; see `push`."""
        transcript = Transcript()
        digest = ""
        repository, tag = name
        auth = (login or RegistryLogin()).as_header()
        stream = self._docker.images.push(repository, tag=tag, auth=auth, stream=True)
        async with aclosing(listen(stream)) as messages:
            async for message in messages:
                match message:
                    case Said():
                        digest = message.result.get("Digest", digest)
                        await self.say(transcript.text_of(message))
                    case Refused():
                        return push_trouble(":".join(name), message.text)
                    case Lost():
                        return engine_trouble(unreachable(self._address, message.cause))
        return digest or engine_trouble(unreachable(self._address, "it went away in the middle of the push"))
