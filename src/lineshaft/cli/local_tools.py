"""What of this machine tasks run with that run here, as the command line says it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

R = TypeVar("R")

ENGINE_PATIENCE: Final = timedelta(seconds=60)
"""How long tasks in containers wait for a Docker engine that has gone away: one that is restarted is back."""


@dataclass(frozen=True, slots=True)
class LocalTools:
    """What of this machine tasks run with.

    Attributes:
        executor: in what they run: `process` or `docker`.
        default_image: the image of those in containers that name none; None refuses these.
        docker_host: the Docker engine's address; None means the engine's own default.
        engine_patience: for how long they wait for the engine once it has gone away.
        ssh_agent: whether they may use this user's ssh agent.
        known_hosts: the file with the keys of hosts that those in containers may reach by ssh; None means the
            machine's own.
        ignore_images: whether they run as processes without the image that they ask for.
    """

    executor: str = "process"
    default_image: str | None = None
    docker_host: str | None = None
    engine_patience: timedelta = ENGINE_PATIENCE
    ssh_agent: bool = False
    known_hosts: Path | None = None
    ignore_images: bool = False


def with_tools(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options that say what tasks run with, as its argument `tools`."""

    @click.option(
        "--executor",
        type=click.Choice(("process", "docker")),
        default="process",
        show_default=True,
        help="In what tasks run: processes of this machine, or containers of its Docker engine.",
    )
    @click.option(
        "--default-image",
        metavar="IMAGE",
        help="With `--executor docker`: the image of tasks that name none.",
    )
    @click.option("--docker-host", metavar="URL", help="The Docker engine's address. [env: DOCKER_HOST]")
    @click.option(
        "--docker-wait-seconds",
        metavar="S",
        type=click.IntRange(0),
        default=60,
        show_default=True,
        help="How long tasks wait for an engine that goes away, before they are lost.",
    )
    @click.option(
        "--ssh-agent", is_flag=True, help="Lend your ssh agent to tasks that say `ssh: {agent: true}`."
    )
    @click.option(
        "--ssh-known-hosts",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The keys of hosts that tasks in containers may reach by ssh. "
        "[default: /etc/ssh/ssh_known_hosts]",
    )
    @click.option(
        "--ignore-images",
        is_flag=True,
        help="Run tasks that ask for an image or for services without them, on this machine as it is.",
    )
    @wraps(command)
    def wrapper(*args: Any, docker_wait_seconds: int, ssh_known_hosts: Path | None, **options: Any) -> R:
        said = {name: options.pop(name) for name in _ALIKE}
        known_hosts = None if ssh_known_hosts is None else ssh_known_hosts.expanduser().absolute()
        patience = timedelta(seconds=docker_wait_seconds)
        tools = LocalTools(engine_patience=patience, known_hosts=known_hosts, **said)
        return command(*args, tools=tools, **options)

    return wrapper


_ALIKE: Final = ("executor", "default_image", "docker_host", "ssh_agent", "ignore_images")
"""The options that stand in `LocalTools` as they are given."""
