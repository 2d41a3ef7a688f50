"""The container of a task, from its making until it is gone."""

import asyncio
import errno
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lineshaft.docker.failure import engine_errors, engine_failure
from lineshaft.executors.docker.attachment import Attachment
from lineshaft.executors.docker.kept import Engine
from lineshaft.executors.docker.patience import to_its_end
from lineshaft.executors.refusal import refusal
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Command, NotStarted

if TYPE_CHECKING:
    from aiodocker.containers import DockerContainer

_LOG: Final = logging.getLogger(__name__)
_CALL_SECONDS: Final = 120.0
_NOT_FOUND: Final = 404


@dataclass(eq=False, slots=True)
class TaskContainer:
    """A container that has been made.

    Attributes:
        container: the engine's.
        attachment: its output.
    """

    container: "DockerContainer"
    attachment: Attachment

    async def start(self, command: Command, address: str) -> NotStarted | None:
        """Start it; answer why it could not be.

        Args:
            command: what runs in it.
            address: the engine's, for messages.
        """
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                await self.container.start()
        except engine_errors() as error:
            return _failure(error, command, address)
        return None


@asynccontextmanager
async def task_container(
    engine: Engine, command: Command, config: dict[str, Any], *, mark: bytes, address: str
) -> AsyncIterator[TaskContainer | NotStarted]:
    """Have a container, attached and not yet started; in the end it is killed and removed, whatever happens.

    Where the engine cannot do that any more, it is said to be away.

    Args:
        engine: makes it.
        command: what is to run in it.
        config: of it, as the Engine API wants it.
        mark: with what its output ends.
        address: the engine's, for messages.
    """
    name = f"lineshaft-{secrets.token_hex(8)}"
    container = engine.docker.containers.container(name)
    making = asyncio.create_task(_make(engine, command, config, (name, mark, address)))
    try:
        yield await to_its_end(making)
    finally:
        made = making.result()
        if isinstance(made, TaskContainer):
            made.attachment.close()
        if isinstance(made, TaskContainer) or made.ours:
            gone = await to_its_end(_remove(container))
            engine.away = engine.away or not gone


async def _make(
    engine: Engine, command: Command, config: dict[str, Any], names: tuple[str, bytes, str]
) -> TaskContainer | NotStarted:
    name, mark, address = names
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            container = await engine.docker.containers.create(config, name=name)
            attachment = await Attachment.open(engine.endpoint, engine.api_version, container.id, mark)
    except engine_errors() as error:
        return _failure(error, command, address)
    return TaskContainer(container, attachment)


async def _remove(container: "DockerContainer") -> bool:
    from aiodocker import DockerError

    try:
        async with asyncio.timeout(_CALL_SECONDS):
            await container.delete(force=True, v=True)
    except engine_errors() as error:
        if isinstance(error, DockerError) and error.status == _NOT_FOUND:
            return True
        _LOG.warning("The container %s could not be removed: %s.", container.id, error)
        return False
    return True


def _failure(error: Exception, command: Command, address: str) -> NotStarted:
    said = str(error).lower()
    if "argument list too long" in said:
        return refusal(errno.E2BIG, in_folder=False, text=said, command=command)
    if "no such image" in said:
        return engine_failure("The image is not there", error, address, ReasonCode.IMAGE_NOT_FOUND)
    what = "The container could not be made"
    return engine_failure(what, error, address, ReasonCode.COMMAND_NOT_STARTED)
