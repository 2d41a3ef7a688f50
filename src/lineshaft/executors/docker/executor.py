"""The executor for commands in containers."""

import asyncio
import errno
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.beforehand import build_beforehand, has_builds
from lineshaft.docker.failure import engine_errors, engine_failure
from lineshaft.docker.provision import Images
from lineshaft.docker.turns import in_turns
from lineshaft.executors.docker.common_network import common_network, remove_common_network
from lineshaft.executors.docker.execution import Execution
from lineshaft.executors.docker.first import FirstProgram
from lineshaft.executors.docker.kept import Engine, KeptEngine
from lineshaft.executors.docker.leftovers import Left, remove_leftovers
from lineshaft.executors.docker.owner import labels_of, owner_of
from lineshaft.executors.docker.patience import to_its_end, unless
from lineshaft.executors.docker.services import Beside, beside
from lineshaft.executors.docker.settings import MOST_PROCESSES, Surroundings, on_terminal, settings
from lineshaft.executors.docker.task_container import TaskContainer, task_container
from lineshaft.executors.label import LABEL_VARIABLE
from lineshaft.executors.refusal import refusal, why_unpassable
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Broken, ByteSink, Command, Container, Ending, Exit, NotStarted
from lineshaft.telemetry.cause import cause_of

if TYPE_CHECKING:
    from aiodocker import Docker

_LOG: Final = logging.getLogger(__name__)
_MARK_BYTES: Final = 16
_LONGEST_ARGUMENT_BYTES: Final = 128 * 1024

Result = Exit | NotStarted | Broken


class DockerExecutor:
    """Runs each command in a container of its own; see `ports.executor.Executor`.

    The engine is Docker's, rootless or not, or Podman's by the same API. Use it from one event loop.
    """

    def __init__(
        self,
        access: DockerAccess,
        folder: Path,
        *,
        images: Images | None = None,
        user: str | None = None,
        most_processes: int = MOST_PROCESSES,
    ) -> None:
        """Connect to nothing yet.

        Args:
            access: where the engine is, and the worker's own credentials for registries.
            folder: where a small program is put that each container shows; the engine finds it under the same
                path.
            images: provides the images of that engine; None takes one that builds in the classic way only.
            user: as whom commands run, as `uid:gid`; None means those whose files are this process's user's.
            most_processes: how many processes and threads a container may have at once.
        """
        self._access: Final = access
        self._first: Final = FirstProgram(folder)
        self._images: Final = images or Images(access)
        self._owed: Final[set[Left]] = set()
        self._user: Final = user
        self._most_processes: Final = most_processes
        self._networks: Final[set[str]] = set()
        self._networking: Final = asyncio.Lock()
        self._kept: Final = KeptEngine(access, self._pay)

    async def build(
        self, container: Container, output: ByteSink, stop: asyncio.Event
    ) -> Container | NotStarted | Exit:
        """Build the images of a container beforehand; see `ports.executor.Executor.build`."""
        if not has_builds(container):
            return container
        async with self._kept.use() as engine:
            if isinstance(engine, NotStarted):
                return engine
            building = build_beforehand(self._images, engine.docker, container, output)
            built = await unless(stop, building)
            if isinstance(built, NotStarted) and built.code is ReasonCode.DOCKER_UNREACHABLE:
                engine.away = True
            return Exit(Ending.STOPPED) if built is None else built

    async def execute(self, command: Command, output: ByteSink, stop: asyncio.Event) -> Result:
        """Run a command to its end; see `ports.executor.Executor.execute`."""
        if stop.is_set():
            return Exit(Ending.STOPPED)
        if command.container is None:
            return NotStarted(
                "The task says no image to run in, and this worker runs tasks in containers. Say `image` in "
                "the definition.",
                ReasonCode.IMAGE_MISSING,
            )
        if (why := _why_unpassable(command)) is not None:
            return why
        async with self._kept.use() as engine:
            if isinstance(engine, NotStarted):
                return engine
            try:
                result = await self._execute(engine, command, command.container, (output, stop))
                if not isinstance(result, Exit) and result.code is ReasonCode.DOCKER_UNREACHABLE:
                    engine.away = True
                return result
            finally:
                if engine.away:
                    self._owed.add(Left(command.label))

    @asynccontextmanager
    async def terminal(self, command: Command, output: ByteSink) -> AsyncIterator[str | NotStarted]:
        """Have a container that is still to be started, whose program gets a terminal of its own.

        Its services are ready by then. All of it is removed in the end, whatever has become of it.

        Args:
            command: what runs in it; it has a container, and its limits and its label's rules count.
            output: takes what is told of images on the way.

        Yields:
            The container's id, or why there can be none.
        """
        container = command.container
        if container is None:
            raise ValueError("only a command with a container can have a terminal")
        async with self._kept.use() as engine:
            if isinstance(engine, NotStarted):
                yield engine
                return
            labels, told = labels_of(command.label, container.marks), in_turns(output)
            async with beside(
                engine.docker, container, labels, told, images=self._images, platform=engine.platform
            ) as side:
                config = await self._on_terminal(engine, command, container, told, side)
                if isinstance(config, NotStarted):
                    yield config
                    return
                name = f"lineshaft-{secrets.token_hex(8)}"
                made = await engine.docker.containers.create(config, name=name)
                try:
                    yield made.id
                finally:
                    await to_its_end(made.delete(force=True, v=True))
                    side.dismiss()

    async def _on_terminal(
        self, engine: Engine, command: Command, container: Container, output: ByteSink, side: Beside
    ) -> dict[str, Any] | NotStarted:
        services = side if container.services else None
        around = await self._surroundings(engine, command, container, output, services)
        if isinstance(around, NotStarted):
            return around
        unready = None if services is None else await services.ready()
        return unready or {**settings(command, container, around), **on_terminal(command)}

    async def sweep(self, label_prefix: str) -> int:
        """Remove what a former worker has left; see `ports.executor.Executor.sweep`.

        Where the engine is away, it is done once it is back, before the next command.

        Returns:
            How many containers there were; 0 where the engine is away.
        """
        left = Left(label_prefix, all_below=True)
        async with self._kept.use() as engine:
            if isinstance(engine, NotStarted):
                _LOG.warning("What a former worker has left cannot be removed yet. %s", engine.text)
                self._owed.add(left)
                return 0
            try:
                return await remove_leftovers(engine.docker, left)
            except engine_errors() as error:
                _LOG.warning("What a former worker has left cannot be removed yet: %s.", error)
                self._owed.add(left)
                engine.away = True
                return 0

    async def close(self) -> None:
        """Remove what the commands have shared, and close the connection to the engine.

        To be called when no command is running any more.
        """
        if self._networks:
            async with self._kept.use() as engine:
                if not isinstance(engine, NotStarted):
                    await self._remove_networks(engine.docker)
        await self._kept.close()

    async def _remove_networks(self, docker: "Docker") -> None:
        for owner in self._networks:
            try:
                await remove_common_network(docker, owner)
            except engine_errors() as error:
                _LOG.warning("The network of tasks could not be removed: %s.", error)
        self._networks.clear()

    async def _pay(self, docker: "Docker") -> None:
        """Remove what could not be removed while the engine was away."""
        for left in tuple(self._owed):
            await remove_leftovers(docker, left)
            self._owed.discard(left)

    async def _execute(
        self,
        engine: Engine,
        command: Command,
        container: Container,
        streams: tuple[ByteSink, asyncio.Event],
    ) -> Result:
        labels = labels_of(command.label, container.marks)
        if not container.services:
            return await self._execute_beside(engine, command, container, streams, None)
        # What is told of services comes between what the command writes.
        output = in_turns(streams[0])
        async with beside(
            engine.docker, container, labels, output, images=self._images, platform=engine.platform
        ) as side:
            return await self._execute_beside(engine, command, container, (output, streams[1]), side)

    async def _execute_beside(
        self,
        engine: Engine,
        command: Command,
        container: Container,
        streams: tuple[ByteSink, asyncio.Event],
        side: Beside | None,
    ) -> Result:
        output, stop = streams
        around = await unless(stop, self._surroundings(engine, command, container, output, side))
        if stop.is_set() or around is None:
            return Exit(Ending.STOPPED)
        if isinstance(around, NotStarted):
            return around
        config = settings(command, container, around)
        mark = b"\0" + around.mark.encode()
        async with task_container(engine, command, config, mark=mark, address=self._access.address) as made:
            if isinstance(made, NotStarted):
                return made
            result = await self._within(made, command, streams, side)
            if side is not None:
                side.dismiss()
        return result

    async def _within(
        self,
        made: TaskContainer,
        command: Command,
        streams: tuple[ByteSink, asyncio.Event],
        side: Beside | None,
    ) -> Result:
        output, stop = streams
        unready = None if side is None else await unless(stop, side.ready())
        if unready is not None:
            return unready
        if stop.is_set():
            return Exit(Ending.STOPPED)
        unstarted = await to_its_end(made.start(command, self._access.address))
        if unstarted is not None:
            return unstarted
        return await Execution(command, made.container, made.attachment).run(output, stop)

    async def _surroundings(
        self, engine: Engine, command: Command, container: Container, output: ByteSink, side: Beside | None
    ) -> Surroundings | NotStarted:
        """Have the image and the network, which come at the same time."""
        try:
            first = self._first.path(engine.platform.machine)
        except OSError as error:
            return _no_first(error)
        if first is None:
            return NotStarted(
                f"The engine's processor is of the kind {engine.platform.machine!r}; containers run on "
                "x86_64 and aarch64."
            )
        image, network = await asyncio.gather(
            self._images.provide(engine.docker, container.image, container, output),
            self._network(engine, command, side),
        )
        if isinstance(image, NotStarted):
            return image
        if isinstance(network, NotStarted):
            return network
        return Surroundings(
            platform=engine.platform,
            image=image,
            network=network,
            first=first,
            mark=secrets.token_hex(_MARK_BYTES),
            labels=labels_of(command.label, container.marks),
            user=self._user or engine.platform.user,
            most_processes=self._most_processes,
        )

    async def _network(self, engine: Engine, command: Command, side: Beside | None) -> str | NotStarted:
        if side is not None:
            return await side.network()
        if engine.platform.network is not None:
            return engine.platform.network
        owner = owner_of(command.label)
        async with self._networking:
            try:
                name = await common_network(engine.docker, owner)
            except engine_errors() as error:
                what = "The network for containers could not be made"
                failure = engine_failure(what, error, self._access.address, ReasonCode.COMMAND_NOT_STARTED)
                return NotStarted(failure.text, failure.code, ours=True)
            self._networks.add(owner)
        return name


def _why_unpassable(command: Command) -> NotStarted | None:
    """Tell why no container can be given the command; what the engine would take for another one, too."""
    environment = {**command.env, LABEL_VARIABLE: command.label}
    if (why := why_unpassable(command, environment)) is not None:
        return why
    for name in environment:
        if not name or "=" in name:
            text = f"illegal environment variable name {name!r}"
            return refusal(0, in_folder=False, text=text, command=command)
    texts = [*command.argv, str(command.cwd), *(f"{name}={value}" for name, value in environment.items())]
    try:
        longest = max(len(text.encode()) for text in texts)
    except UnicodeEncodeError as error:
        return refusal(0, in_folder=False, text=str(error), command=command)
    if longest >= _LONGEST_ARGUMENT_BYTES:
        return refusal(errno.E2BIG, in_folder=False, text="", command=command)
    return None


def _no_first(error: OSError) -> NotStarted:
    code = ReasonCode.DISK_FULL if error.errno == errno.ENOSPC else ReasonCode.COMMAND_NOT_STARTED
    text = f"The program that each container begins with could not be written: {cause_of(error)}."
    return NotStarted(text, code, ours=True)
