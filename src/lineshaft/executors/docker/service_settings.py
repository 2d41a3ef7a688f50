"""How the container of a service is made."""

from collections.abc import Mapping
from typing import Any, Final

from lineshaft.executors.docker.platform import Platform
from lineshaft.executors.docker.settings import CAPABILITIES, MOST_PROCESSES, SHARED_MEMORY_BYTES
from lineshaft.model.service import Service

_LEAST_MEMORY_BYTES: Final = 6 * 1024 * 1024


def settings(
    name: str,
    service: Service,
    *,
    image: str,
    network: str,
    secrets: Mapping[str, str],
    labels: Mapping[str, str],
    platform: Platform,
) -> dict[str, Any]:
    """Write a container as the Engine API wants it.

    It is what the container of a task is, but for its user, which is that of the image: no port of it is
    opened on the engine's machine, and nothing of that machine is in it.

    Args:
        name: under which others on the network reach it.
        service: what it is.
        image: the id of its image.
        network: the id of its network.
        secrets: its environment besides.
        labels: what it carries.
        platform: what the engine is like.
    """
    config: dict[str, Any] = {
        "Image": image,
        "Hostname": name,
        "Env": [f"{key}={value}" for key, value in {**service.env, **secrets}.items()],
        "Labels": dict(labels),
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "NetworkMode": network,
            "CapDrop": ["ALL"],
            "CapAdd": list(CAPABILITIES),
            "SecurityOpt": ["no-new-privileges"],
            "ShmSize": SHARED_MEMORY_BYTES,
            "LogConfig": {"Type": "none"},
            **_limits(service, platform),
        },
        "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": [name]}}},
    }
    if service.command is not None:
        config["Cmd"] = list(service.command)
    return config


def _limits(service: Service, platform: Platform) -> dict[str, int]:
    limits = {}
    if platform.counts_processes:
        limits["PidsLimit"] = MOST_PROCESSES
    if service.cpus and platform.limits_processors:
        limits["NanoCpus"] = platform.nano_processors(service.cpus)
    if service.memory_bytes:
        # Memory and swap together: there is no swap. Less than engines take would be refused by them.
        limits["Memory"] = limits["MemorySwap"] = max(service.memory_bytes, _LEAST_MEMORY_BYTES)
    return limits
