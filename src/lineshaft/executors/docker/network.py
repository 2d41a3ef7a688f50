"""A network of a task's own."""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from lineshaft.docker.failure import engine_errors, engine_failure
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import NotStarted

if TYPE_CHECKING:
    from aiodocker import Docker
    from aiodocker.networks import DockerNetwork

_LOG: Final = logging.getLogger(__name__)
_CALL_SECONDS: Final = 120


class TaskNetwork:
    """A bridge that only the containers of one task are on. They find each other by name there."""

    def __init__(self, docker: "Docker", name: str, labels: Mapping[str, str], address: str) -> None:
        """Begin to make it.

        Args:
            docker: the engine.
            name: the network's, unique.
            labels: what it carries.
            address: the engine's, for messages.
        """
        self._docker: Final = docker
        self._name: Final = name
        self._labels: Final = labels
        self._address: Final = address
        self._making: Final = asyncio.create_task(self._make())

    async def made(self) -> str | NotStarted:
        """Wait until it is there; answer its id, or why there is none."""
        network = await asyncio.shield(self._making)
        return network if isinstance(network, NotStarted) else str(network.id)

    async def remove(self) -> None:
        """Remove it, once nothing is on it any more. Not to be cancelled."""
        network = await self._making
        if isinstance(network, NotStarted):
            return
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                await network.delete()
        except engine_errors() as error:
            _LOG.warning(
                "The network %s could not be removed: %s. The worker's next start does it.", self._name, error
            )

    async def _make(self) -> "DockerNetwork | NotStarted":
        config = {"Name": self._name, "Driver": "bridge", "Labels": dict(self._labels)}
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                return await self._docker.networks.create(config)
        except engine_errors() as error:
            what = "The network of the task could not be made"
            failure = engine_failure(what, error, self._address, ReasonCode.COMMAND_NOT_STARTED)
            # Whatever it is, such as no free range of addresses, the definition did not ask for it.
            return NotStarted(failure.text, failure.code, ours=True)
