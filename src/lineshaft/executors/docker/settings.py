"""How the container of a task is made: what it may do, and what it sees of this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from lineshaft.executors.docker.platform import Platform
from lineshaft.executors.label import LABEL_VARIABLE
from lineshaft.ports.executor import Command, Container, Mount

CAPABILITIES: Final = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
)
"""What root keeps in a container: what package managers need, and databases that are begun as root."""

MOST_PROCESSES: Final = 4096
"""How many processes and threads a container may have at once."""

SHARED_MEMORY_BYTES: Final = 1024**3
"""How much of /dev/shm a container may fill, as browsers and databases do; it counts as its memory."""

FIRST_PATH: Final = PurePosixPath("/.lineshaft-first")
_TEMPORARY: Final = PurePosixPath("/tmp")  # noqa: S108 - that of the container.
_TEMPORARY_OPTIONS: Final = "rw,exec,nosuid,nodev,mode=1777"
_LEAST_MEMORY_BYTES: Final = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a container is put into.

    Attributes:
        platform: what the engine is like.
        image: the id of its image.
        network: the name or id of its network.
        first: where the program of the first process lies on this machine.
        mark: with what its output ends.
        labels: what it carries.
        user: as whom its command runs, as `uid:gid`.
        most_processes: how many processes and threads it may have at once.
    """

    platform: Platform
    image: str
    network: str
    first: Path
    mark: str
    labels: Mapping[str, str]
    user: str
    most_processes: int = MOST_PROCESSES


def settings(command: Command, container: Container, around: Surroundings) -> dict[str, Any]:
    """Write a container as the Engine API wants it.

    Nothing in a definition reaches more of this than the arguments say: no volume, device, privilege or
    network of the machine's.

    Args:
        command: what runs in it.
        container: what it asks of its container.
        around: what it is put into.
    """
    environment = {**command.env, LABEL_VARIABLE: command.label}
    return {
        "Image": around.image,
        "User": around.user,
        "Entrypoint": [str(FIRST_PATH), around.mark, str(command.cwd)],
        "Cmd": list(command.argv),
        "Env": [f"{name}={value}" for name, value in environment.items()],
        # The engine would make a folder that is not there; the first process says that it is missing.
        "WorkingDir": "/",
        "AttachStdout": True,
        "AttachStderr": True,
        "Labels": dict(around.labels),
        # What an engine that ends asks of its containers is none of the task's business.
        "StopSignal": "SIGKILL",
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "NetworkMode": around.network,
            "Mounts": [_mount(Mount(around.first, FIRST_PATH)), *map(_mount, container.mounts)],
            "Tmpfs": _temporary(container),
            "ReadonlyRootfs": container.read_only,
            "CapDrop": ["ALL"],
            "CapAdd": list(CAPABILITIES),
            "SecurityOpt": ["no-new-privileges"],
            "UsernsMode": around.platform.user_namespace,
            "ShmSize": SHARED_MEMORY_BYTES,
            "LogConfig": {"Type": "none"},
            **_limits(container, around),
        },
    }


def on_terminal(command: Command) -> dict[str, Any]:
    """Write what is different in a container whose program somebody talks to."""
    return {
        "Entrypoint": [command.argv[0]],
        "Cmd": list(command.argv[1:]),
        "WorkingDir": str(command.cwd),
        "Tty": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
    }


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": str(mount.target),
        "ReadOnly": not mount.writable,
        "BindOptions": {"Propagation": "rprivate"},
    }


def _temporary(container: Container) -> dict[str, str]:
    if any(mount.target == _TEMPORARY for mount in container.mounts):
        return {}
    size = f",size={container.memory_bytes}" if container.memory_bytes else ""
    return {str(_TEMPORARY): _TEMPORARY_OPTIONS + size}


def _limits(container: Container, around: Surroundings) -> dict[str, int]:
    limits = {}
    if around.platform.counts_processes:
        limits["PidsLimit"] = around.most_processes
    if container.cpus and around.platform.limits_processors:
        limits["NanoCpus"] = around.platform.nano_processors(container.cpus)
    if container.memory_bytes:
        # Memory and swap together: there is no swap. Less than engines take would be refused by them.
        limits["Memory"] = limits["MemorySwap"] = max(container.memory_bytes, _LEAST_MEMORY_BYTES)
    return limits
