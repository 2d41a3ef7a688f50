"""The network of containers without services, where the engine has none for all."""

from typing import TYPE_CHECKING, Any, Final

from lineshaft.executors.docker.owner import LABEL, OWNER

if TYPE_CHECKING:
    from aiodocker import Docker

_NOT_FOUND: Final = 404


async def common_network(docker: "Docker", owner: str) -> str:
    """Find a worker's network, or make it; the containers on it do not reach each other.

    Args:
        docker: the engine.
        owner: begins the labels of the worker.

    Returns:
        Its name.

    Raises:
        DockerError: the engine does not answer, or cannot make it.
    """
    from aiodocker import DockerError

    name = f"{owner.rstrip('/')}-tasks"
    try:
        await docker.networks.get(name)
    except DockerError as error:
        if error.status != _NOT_FOUND:
            raise
        config: dict[str, Any] = {
            "Name": name,
            "CheckDuplicate": True,
            "Driver": "bridge",
            "Labels": {LABEL: f"{owner}network", OWNER: owner},
            "Options": {"com.docker.network.bridge.enable_icc": "false"},
        }
        await docker.networks.create(config)
    return name


async def remove_common_network(docker: "Docker", owner: str) -> None:
    """Remove a worker's network, once it ends.

    Raises:
        DockerError: there is none, or something is on it.
    """
    network = await docker.networks.get(f"{owner.rstrip('/')}-tasks")
    await network.delete()
