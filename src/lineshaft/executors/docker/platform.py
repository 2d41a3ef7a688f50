"""What an engine is like, as far as containers depend on it."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiodocker import Docker

_NOT_FOUND: Final = 404
_DEFAULT_NETWORK: Final = "default"
_NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Platform:
    """An engine's ways.

    Attributes:
        machine: its kind of processor, as it calls it.
        user: the user and group as whom a command's files belong to this process's user.
        user_namespace: what containers say of user namespaces; empty for the engine's own way.
        network: on which containers without services are; None where it has none for all.
        limits_processors: whether it can hold containers to a part of the processors.
        counts_processes: whether it can hold containers to a number of processes.
        processors: how many it has; 0 where it does not say.
    """

    machine: str
    user: str
    user_namespace: str
    network: str | None
    limits_processors: bool
    counts_processes: bool
    processors: int

    def nano_processors(self, cpus: float) -> int:
        """Tell what a container asks for: no more processors than there are, which would be refused."""
        return round((min(cpus, self.processors) if self.processors else cpus) * _NANO)


async def platform_of(docker: "Docker") -> Platform:
    """Ask an engine what it is like.

    Raises:
        DockerError: it does not answer, or not so.
    """
    info = dict(await docker.system.info())
    security = info.get("SecurityOptions") or []
    rootless = any(option.startswith("name=rootless") for option in security)
    remaps = any(option.startswith("name=userns") for option in security)
    return Platform(
        machine=str(info.get("Architecture", "")),
        # The root of a rootless engine's containers is the user whose engine it is.
        user="0:0" if rootless else f"{os.geteuid()}:{os.getegid()}",
        # Remapped, all users in a container are others outside of it, and none of them this process's.
        user_namespace="host" if remaps and not rootless else "",
        network=await _network(docker),
        limits_processors=info.get("CpuCfsQuota", True) is not False,
        counts_processes=info.get("PidsLimit", True) is not False,
        processors=int(info.get("NCPU") or 0),
    )


async def _network(docker: "Docker") -> str | None:
    """Find out whether an engine has a network for all containers.

    Docker calls it `bridge`, and may be told to have none. Podman has always one, whose name is its own.
    """
    from aiodocker import DockerError

    components = (await docker.version()).get("Components") or []
    if any("Podman" in str(component.get("Name")) for component in components):
        return _DEFAULT_NETWORK
    try:
        await docker.networks.get("bridge")
    except DockerError as error:
        if error.status != _NOT_FOUND:
            raise
        return None
    return _DEFAULT_NETWORK
