"""Sharing the layers of builds between engines through a registry."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.logins import Logins
from lineshaft.docker.messages import Lost, Refused, Said, Transcript, listen
from lineshaft.docker.push import Pusher
from lineshaft.docker.trouble import Trouble
from lineshaft.model.image_name import registry_of
from lineshaft.model.reason import Reason
from lineshaft.ports.executor import ByteSink

if TYPE_CHECKING:
    from aiodocker import Docker


async def fetch_cache(docker: "Docker", name: str, login: RegistryLogin | None, sink: ByteSink) -> bool:
    """Pull the image that is the cache, for the classic builder; answer whether it is there.

    Args:
        docker: the engine.
        name: of the image, with its tag.
        login: with what the registry is asked.
        sink: takes what the engine prints, and why there is no cache.
    """
    transcript = Transcript()
    auth = (login or RegistryLogin()).as_header()
    async with aclosing(listen(docker.images.pull(name, auth=auth, stream=True))) as messages:
        async for message in messages:
            match message:
                case Said():
                    if text := transcript.text_of(message):
                        await sink.write(text.encode(errors="replace"))
                case Refused(text=cause) | Lost(cause=cause):
                    said = f"Nothing is taken from the cache {name}: {cause}\n"
                    await sink.write(said.encode(errors="replace"))
                    return False
    return True


async def share_cache(pusher: Pusher, image_id: str, name: tuple[str, str], logins: Logins) -> None:
    """Push an image as the cache of builds to come; that this fails is told and does no more harm.

    Args:
        pusher: pushes to the engine that has the image.
        image_id: which image of the engine.
        name: the repository and the tag.
        logins: with what the registry is asked.
    """
    login = await logins.find(registry_of(name[0]))
    if isinstance(login, Reason):
        trouble: Trouble | None = Trouble(login)
    else:
        # The name stays in the engine, since an image that loses its last one is gone.
        trouble = await pusher.tag(image_id, name)
        if trouble is None:
            pushed = await pusher.upload(name, login)
            trouble = pushed if isinstance(pushed, Trouble) else None
    if trouble is not None:
        await pusher.say(f"The cache was not brought up to date: {trouble.reason.text}\n")
