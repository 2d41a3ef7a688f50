"""Building an image with the classic builder, by the Engine API."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from lineshaft.docker.context import pack
from lineshaft.docker.engine import unreachable
from lineshaft.docker.ignore import BadIgnoreError, read_ignore
from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.logins import engine_header
from lineshaft.docker.messages import Lost, Refused, Said, Transcript, listen
from lineshaft.docker.recipe import Recipe
from lineshaft.docker.trouble import Trouble, build_trouble, engine_trouble
from lineshaft.ports.executor import ByteSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiodocker import Docker


async def build_classically(
    docker: "Docker",
    address: str,
    recipe: Recipe,
    sink: ByteSink,
    *,
    logins: "Mapping[str, RegistryLogin]",
    cache: str | None,
) -> str | Trouble:
    """Build an image, and leave it in the engine without a name.

    The engine is sent the context as it is read, so that memory stays flat, without what its `.dockerignore`
    leaves out (https://docs.docker.com/build/concepts/context/#dockerignore-files). A file named after the
    Dockerfile with `.dockerignore` behind it takes its place.

    Args:
        docker: the engine.
        address: the engine's, for messages.
        recipe: what to build.
        sink: takes what the engine prints, as it comes.
        logins: with what registries are asked, by their hosts.
        cache: the name of an image in the engine whose layers may be used; None where there is none.

    Returns:
        The image's id, or why there is none.
    """
    try:
        ignore = read_ignore(recipe.files.dockerfile, recipe.files.context)
    except BadIgnoreError as error:
        return build_trouble(str(error))
    packed = pack(recipe.files.context, recipe.files.dockerfile, ignore)
    params = {
        "dockerfile": packed.dockerfile,
        "forcerm": True,
        "rm": True,
        "labels": dict(recipe.labels),
        "buildargs": dict(recipe.args),
        "target": recipe.target,
        "cachefrom": None if cache is None else [cache],
    }
    headers = {"X-Registry-Config": engine_header(logins)} if logins else {}
    stream = _begin(docker, params, headers, packed.pieces())
    return await _follow(stream, address, sink)


async def _follow(stream: AsyncIterator[dict[str, Any]], address: str, sink: ByteSink) -> str | Trouble:
    transcript = Transcript()
    image_id = ""
    async with aclosing(listen(stream)) as messages:
        async for message in messages:
            match message:
                case Said():
                    image_id = message.result.get("ID", image_id)
                    if text := transcript.text_of(message):
                        await sink.write(text.encode(errors="replace"))
                case Refused():
                    return build_trouble(message.text, message.exit_code)
                case Lost():
                    return engine_trouble(unreachable(address, message.cause))
    return image_id or engine_trouble(unreachable(address, "it went away in the middle of the build"))


def _begin(
    docker: "Docker", params: dict[str, Any], headers: dict[str, str], pieces: AsyncIterator[bytes]
) -> AsyncIterator[dict[str, Any]]:
    # The client's own method for this knows no `target`.
    query = docker._query(  # noqa: SLF001
        "build",
        "POST",
        params=_as_text(params),
        headers={"Content-Type": "application/x-tar", **headers},
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
