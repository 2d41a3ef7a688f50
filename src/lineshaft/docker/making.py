"""Making an image from a Dockerfile, with BuildKit where the engine has it, else with the classic builder."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.bases import registries_named
from lineshaft.docker.buildkit import build_with_buildkit, why_no_buildkit
from lineshaft.docker.cache import fetch_cache, share_cache
from lineshaft.docker.classic import build_classically
from lineshaft.docker.engine import connected, unreachable
from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.logins import Logins
from lineshaft.docker.program import DockerProgram, buildkit_program
from lineshaft.docker.push import Pusher
from lineshaft.docker.recipe import Recipe, Workshop
from lineshaft.docker.trouble import Trouble, build_trouble, engine_trouble
from lineshaft.model.image_name import registry_of
from lineshaft.model.reason import Reason
from lineshaft.ports.executor import ByteSink, Login
from lineshaft.telemetry.cause import cause_of

if TYPE_CHECKING:
    from aiodocker import Docker

NO_LOGINS: Final[Mapping[str, Login]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Made:
    """An image in an engine.

    Attributes:
        image_id: `sha256:` and 64 digits; the engine knows it by no other name.
    """

    image_id: str


async def make_image(
    recipe: Recipe,
    *,
    access: DockerAccess,
    workshop: Workshop | None,
    sink: ByteSink,
    registries: Mapping[str, Login] = NO_LOGINS,
) -> Made | Trouble:
    """Build an image, and leave it in the engine without a name.

    Where the recipe has a cache, layers are taken from there, and what was built is brought there; that
    this failed is told in the output and does no more harm. Cancelling the caller's task stops the build.

    Args:
        recipe: what to build.
        access: where the engine and the worker's own credentials for registries are.
        workshop: where the docker program may be called, which BuildKit needs; None leaves only the classic
            builder.
        sink: takes which builder works and why, and what it prints, as it comes.
        registries: with what registries are asked, by their hosts; those that are not here are looked for in
            docker's configuration.

    Returns:
        The image, or why there is none.
    """
    async with connected(access) as docker:
        if isinstance(docker, Reason):
            return engine_trouble(docker)
        return await Making(docker, access, Logins(access, registries), sink).make(recipe, workshop)


class Making:
    """Makes images with an engine that is connected."""

    def __init__(self, docker: "Docker", access: DockerAccess, logins: Logins, sink: ByteSink) -> None:
        """Prepare to make images; see `make_image`."""
        self._docker = docker
        self._access = access
        self._logins = logins
        self._sink = sink

    async def make(self, recipe: Recipe, workshop: Workshop | None) -> Made | Trouble:
        """Do as `make_image`."""
        try:
            made = await self._make(recipe, workshop)
        except OSError as error:
            return build_trouble(f"its files cannot be read ({cause_of(error)})")
        return await self._or_lost(made) if isinstance(made, Trouble) else made

    async def _make(self, recipe: Recipe, workshop: Workshop | None) -> Made | Trouble:
        named = registries_named(recipe.files.dockerfile, recipe.args)
        of_cache = [registry_of(recipe.cache)] if recipe.cache else []
        logins = await self._logins.gather([*named, *of_cache])
        async with AsyncExitStack() as stack:
            program: DockerProgram | str | None = await why_no_buildkit(self._docker)
            if program is None:
                program = await stack.enter_async_context(buildkit_program(self._access, workshop, logins))
            builder = "buildkit" if isinstance(program, DockerProgram) else "classic"
            cache = None if recipe.cache is None else (recipe.cache, recipe.cache_tag(builder))
            image_id = await self._build(recipe, program, logins, cache)
        if isinstance(image_id, Trouble):
            return image_id
        if cache is not None:
            pusher = Pusher(self._docker, self._access.address, self._sink)
            await share_cache(pusher, image_id, cache, self._logins)
        return Made(image_id)

    async def _build(
        self,
        recipe: Recipe,
        program: DockerProgram | str,
        logins: Mapping[str, RegistryLogin],
        cache: tuple[str, str] | None,
    ) -> str | Trouble:
        name = None if cache is None else ":".join(cache)
        if isinstance(program, DockerProgram):
            await self._say(f"BuildKit builds, by {program.path}.")
            return await build_with_buildkit(self._docker, program, recipe, self._sink, name)
        if recipe.needs_buildkit:
            return _needs_buildkit(recipe, program)
        await self._say(f"The classic builder builds, since {program}.")
        if cache is not None:
            login = logins.get(registry_of(cache[0]))
            name = name if await fetch_cache(self._docker, ":".join(cache), login, self._sink) else None
        address = self._access.address
        return await build_classically(self._docker, address, recipe, self._sink, logins=logins, cache=name)

    async def _say(self, line: str) -> None:
        await self._sink.write(f"{line}\n".encode(errors="replace"))

    async def _or_lost(self, trouble: Trouble) -> Trouble:
        """Tell of an engine that has gone away, whatever the builder made of that."""
        if trouble.exit_code is not None or trouble.ours:
            return trouble
        async with connected(self._access) as docker:
            if isinstance(docker, Reason):
                return engine_trouble(
                    unreachable(self._access.address, "it went away in the middle of the build")
                )
        return trouble


def _needs_buildkit(recipe: Recipe, why: str) -> Trouble:
    wanted = "secrets" if recipe.secrets else "ssh"
    return build_trouble(
        f"it gives {wanted} to its instructions, which only BuildKit can do, and {why}. Nothing was begun, "
        "since the classic builder would leave them in the image"
    )
