"""What a task says of containers, as the model has it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lineshaft.model.image import Image, ImageBuild, RegistryAccess
from lineshaft.model.service import DEFAULT_READY_TIMEOUT, Readiness, Service
from lineshaft.model.surroundings import SshAccess


def dockerfile_of(build: Mapping[str, Any]) -> str:
    """Tell which Dockerfile an image is built from: its path in the workspace.

    Args:
        build: a `build` as a checked document has it; one that names no Dockerfile means that of its context.
    """
    folder = build.get("context", ".").rstrip("/")
    path: str = build.get("dockerfile", "Dockerfile" if folder == "." else f"{folder}/Dockerfile")
    return path


def image_of(said: str | Mapping[str, Any]) -> Image:
    """Make the image of a checked `image`."""
    if isinstance(said, str):
        return said
    build = said["build"]
    return ImageBuild(
        dockerfile=dockerfile_of(build),
        context=build.get("context", "."),
        target=build.get("target"),
        args=build.get("args", {}),
        cache=build.get("cache"),
    )


def service_of(keys: Mapping[str, Any]) -> Service:
    """Make a service of what a checked document says of it."""
    resources = keys.get("resources", {})
    return Service(
        image=image_of(keys["image"]),
        command=tuple(keys["command"]) if "command" in keys else None,
        env=keys.get("env", {}),
        secrets=tuple(keys.get("secrets", ())),
        ready=_readiness(keys["ready"]) if "ready" in keys else None,
        cpus=resources.get("cpus"),
        memory_bytes=resources.get("memory"),
    )


def registries_of(said: Mapping[str, Mapping[str, Any]]) -> dict[str, RegistryAccess]:
    """Make what a checked `registries` says."""
    return {host: RegistryAccess(keys["username"], keys["password"]) for host, keys in said.items()}


def ssh_of(keys: Mapping[str, Any] | None) -> SshAccess | None:
    """Make what a checked `ssh` says; None where it is not there."""
    return None if keys is None else SshAccess(tuple(keys.get("keys", ())), keys.get("agent", False))


def _readiness(keys: Mapping[str, Any]) -> Readiness:
    timeout = keys.get("timeout")
    return Readiness(
        command=tuple(keys["command"]) if "command" in keys else None,
        port=keys.get("port"),
        log=keys.get("log"),
        timeout=DEFAULT_READY_TIMEOUT if timeout is None else timedelta(seconds=timeout),
    )
