"""How the container of a service is made."""

from collections.abc import Mapping
from typing import Any, Final

from lineshaft.model.service import Service

CAPABILITIES: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID")
"""What root keeps in a service: images of databases begin as root, and go on as a user of their own."""

_MOST_PROCESSES: Final = 4096
_NANO: Final = 1_000_000_000


def settings(
    name: str,
    service: Service,
    *,
    image: str,
    network: str,
    secrets: Mapping[str, str],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Write a container as the Engine API wants it.

    No port of it is opened on the engine's machine, and nothing of that machine is in it.

    Args:
        name: under which others on the network reach it.
        service: what it is.
        image: the id of its image.
        network: the id of its network.
        secrets: its environment besides.
        labels: what it carries.
    """
    config: dict[str, Any] = {
        "Image": image,
        "Hostname": name,
        "Env": [f"{key}={value}" for key, value in {**service.env, **secrets}.items()],
        "Labels": dict(labels),
        "HostConfig": {
            "NetworkMode": network,
            "CapDrop": ["ALL"],
            "CapAdd": list(CAPABILITIES),
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": _MOST_PROCESSES,
            "LogConfig": {"Type": "none"},
            **_limits(service),
        },
        "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": [name]}}},
    }
    if service.command is not None:
        config["Cmd"] = list(service.command)
    return config


def _limits(service: Service) -> dict[str, int]:
    limits = {}
    if service.cpus:
        limits["NanoCpus"] = round(service.cpus * _NANO)
    if service.memory_bytes:
        # Memory and swap together: there is no swap.
        limits["Memory"] = limits["MemorySwap"] = service.memory_bytes
    return limits
