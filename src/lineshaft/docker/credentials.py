"""Credentials for image registries, from where the docker command keeps them."""

import asyncio
import base64
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.ecr import ecr_login, ecr_region
from lineshaft.docker.login import RegistryLogin
from lineshaft.model.image_name import DOCKER_HUB
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.variable import OWN_PREFIX
from lineshaft.telemetry.cause import brief, cause_of

# The name under which docker keeps the credentials of its own registry.


async def find_login(registry: str, access: DockerAccess) -> RegistryLogin | Reason | None:
    """Find what a registry wants to hear.

    The credential helper for the registry comes first, then the store for all of them, then the `auths` of
    docker's configuration, then AWS where the registry is ECR.

    Args:
        registry: its host and port, as in an image's name.
        access: says where docker's configuration is.

    Returns:
        The credentials; None where there are none, which is right for a registry that asks for none; a
        reason where there should be some and they cannot be had.
    """
    settings = _Settings.read(access.config_folder / "config.json")
    if isinstance(settings, Reason):
        return settings
    helper = settings.helpers.get(registry) or settings.store
    login = await _ask_helper(helper, registry) if helper else None
    login = login or settings.logins.get(registry)
    if login is None and (region := ecr_region(registry)):
        return await ecr_login(registry, region, settings.path)
    return login


@dataclass(frozen=True, slots=True)
class _Settings:
    """The parts of docker's config.json that are about registries."""

    path: Path
    helpers: dict[str, str] = field(default_factory=dict)
    store: str | None = None
    logins: dict[str, RegistryLogin] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "_Settings | Reason":
        try:
            document = json.loads(path.read_bytes())
            entries = document.get("auths") or {}
            return cls(
                path=path,
                helpers={
                    _host(name): str(helper) for name, helper in (document.get("credHelpers") or {}).items()
                },
                store=document.get("credsStore"),
                logins={
                    _host(name): login
                    for name, entry in entries.items()
                    if (login := _stored_login(entry)) is not None
                },
            )
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            return Reason(
                ReasonCode.IMAGE_PUSH_FAILED,
                f"Docker's configuration {path} cannot be read: {cause_of(error)}.",
            )


def _host(name: str) -> str:
    """Reduce the ways in which a registry is written in config.json to the host in an image's name."""
    if name == DOCKER_HUB:
        return name
    return name.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _stored_login(entry: dict[str, Any]) -> RegistryLogin | None:
    match entry:
        case {"identitytoken": str() as token} if token:
            return RegistryLogin(identity_token=token)
        case {"auth": str() as encoded} if encoded:
            username, _, password = base64.b64decode(encoded).decode().partition(":")
            return RegistryLogin(username, password.rstrip("\0"))
        case {"username": str() as username, "password": str() as password}:
            return RegistryLogin(username, password)
        case _:
            return None


async def _ask_helper(helper: str, registry: str) -> RegistryLogin | Reason | None:
    """Call a credential helper: the registry on its standard input, a JSON document on its output."""
    program = f"docker-credential-{helper}"
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "get",
            env={name: value for name, value in os.environ.items() if not name.startswith(OWN_PREFIX)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        return _helper_failed(program, registry, cause_of(error))
    try:
        output, complaint = await process.communicate(registry.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        # By its protocol a helper that knows nothing of the registry says so on its standard output.
        if b"credentials not found" in output:
            return None
        return _helper_failed(program, registry, brief((complaint or output).decode(errors="replace")))
    try:
        answer = json.loads(output)
    except ValueError:
        answer = None
    match answer:
        case {"Username": "<token>", "Secret": str() as token}:
            return RegistryLogin(identity_token=token)
        case {"Username": str() as username, "Secret": str() as password}:
            return RegistryLogin(username, password)
        case _:
            return _helper_failed(program, registry, "its answer makes no sense")


def _helper_failed(program: str, registry: str, cause: str) -> Reason:
    return Reason(
        ReasonCode.IMAGE_PUSH_FAILED, f"{program} gave no credentials for the registry {registry}: {cause}."
    )
