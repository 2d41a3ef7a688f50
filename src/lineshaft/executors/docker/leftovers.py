"""What a worker that was killed has left on an engine."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lineshaft.docker.failure import engine_errors
from lineshaft.executors.docker.owner import LABEL

if TYPE_CHECKING:
    from aiodocker import Docker

_LOG: Final = logging.getLogger(__name__)
_HAS_LABEL: Final = {"label": [LABEL]}
_UNNAMED: Final = {"label": [LABEL], "dangling": ["true"]}


@dataclass(frozen=True, slots=True)
class Left:
    """Whose things are left.

    Attributes:
        label: what they carry, or with what that begins.
        all_below: whether it is only the beginning.
    """

    label: str
    all_below: bool = False

    def covers(self, label: str) -> bool:
        """Tell whether a label is one of these."""
        return label.startswith(self.label) if self.all_below else label == self.label


async def remove_leftovers(docker: "Docker", left: Left) -> int:
    """Remove all that is left: containers, then networks, volumes and unnamed images.

    What cannot be removed stays for the next time, and the log tells of it.

    Returns:
        How many containers there were.

    Raises:
        DockerError: the engine does not answer.
        aiohttp.ClientError: the same.
    """

    def is_left(found: Mapping[str, Any]) -> bool:
        return left.covers(str((found.get("Labels") or {}).get(LABEL, "")))

    containers = [
        container
        for container in await docker.containers.list(all=1, filters=json.dumps(_HAS_LABEL))
        if is_left({"Labels": container["Labels"]})
    ]
    await asyncio.gather(
        *(_remove(each.delete(force=True, v=True), "container", each.id) for each in containers)
    )
    for network in await docker.networks.list(filters=_HAS_LABEL):
        if is_left(network):
            await _remove(_delete_network(docker, network["Id"]), "network", network["Name"])
    answer: dict[str, Any] = await docker.volumes.list(filters=_HAS_LABEL)  # type: ignore[no-untyped-call]
    for volume in answer["Volumes"] or []:
        if is_left(volume):
            await _remove(_delete_volume(docker, volume["Name"]), "volume", volume["Name"])
    for image in await docker.images.list(filters=_UNNAMED):
        if is_left(image):
            await _remove(docker.images.delete(image["Id"]), "image", image["Id"])
    return len(containers)


async def _delete_network(docker: "Docker", identifier: str) -> None:
    network = await docker.networks.get(identifier)
    await network.delete()


async def _delete_volume(docker: "Docker", name: str) -> None:
    volume: Any = await docker.volumes.get(name)  # type: ignore[no-untyped-call] # The library has no types here.
    await volume.delete()


async def _remove(removal: Any, kind: str, name: str) -> None:
    try:
        await removal
    except engine_errors() as error:
        _LOG.warning("The %s %s of a former worker could not be removed: %s.", kind, name, error)
