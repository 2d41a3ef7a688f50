"""Options that are settings of a program that serves; docs/settings.md explains each."""

from collections.abc import Callable
from functools import reduce
from typing import Any, Final, TypeVar

import click

from lineshaft.cli.command import SharedOption

F = TypeVar("F", bound=Callable[..., Any])

_MACHINE: Final = "This machine"


def setting(
    heading: str, flag: str, metavar: str | None, text: str, default: str, *, variable: str = ""
) -> Callable[[F], F]:
    """Make the option of a setting; one without a `metavar` is a switch, which says true or nothing."""
    own = f"LINESHAFT_{flag[2:].replace('-', '_').upper()}"
    variables = f"{own}, {variable}" if variable else own
    hint = f"{text} [env: {variables}; default: {default}]"
    if metavar is None:
        return click.option(flag, is_flag=True, default=None, cls=SharedOption, heading=heading, help=hint)
    return click.option(flag, metavar=metavar, cls=SharedOption, heading=heading, help=hint)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Make one decorator of many options, which help lists in this order."""

    def decorate(command: F) -> F:
        return reduce(lambda inner, option: option(inner), reversed(options), command)

    return decorate


machine_options = together(
    setting(_MACHINE, "--data", "DIR", "Folder for all that is kept.", "~/.local/share/lineshaft"),
    setting(_MACHINE, "--slots", "N", "How many tasks run at once.", "one a processor, 2 at least"),
    setting(
        _MACHINE,
        "--labels",
        "A,B",
        "What the worker here says of itself; tasks with labels ask for them.",
        "none",
    ),
    setting(
        _MACHINE,
        "--cpus",
        "N",
        "How many processors it gives to tasks that say how many they need.",
        "those of the machine",
    ),
    setting(
        _MACHINE,
        "--memory",
        "SIZE",
        "How much memory it gives to tasks that say how much they need, such as 8GiB.",
        "that of the machine",
    ),
    setting(
        _MACHINE,
        "--max-load",
        "F",
        "It takes nothing while the processors are busier than this, from 0 to 1.",
        "0.95 of `worker`; no limit of `up`",
    ),
    setting(_MACHINE, "--workspaces-kept", "N", "How many workspaces that nobody uses it keeps.", "16"),
    setting(_MACHINE, "--lfs-gib", "N", "How many GiB of the files that Git LFS has brought it keeps.", "10"),
    setting(
        _MACHINE,
        "--keep-failed",
        "TIME",
        "For how long the workspace of a failed task is kept for `lineshaft shell`: 90m, 24h, 7d.",
        "none is kept",
    ),
    setting(
        _MACHINE,
        "--git-roots",
        "DIRS",
        "Folders, separated by colons, below which a repository may be a local path.",
        "none",
    ),
    setting(
        _MACHINE,
        "--private-repositories",
        "BOOL",
        "Whether repositories may be in private networks: true or false.",
        "True",
    ),
    setting(_MACHINE, "--sandbox", "CHOICE", "Whether tasks run in a sandbox: auto, bwrap or none.", "auto"),
    setting(_MACHINE, "--executor", "CHOICE", "In what tasks run: process or docker.", "process"),
    setting(_MACHINE, "--default-image", "IMAGE", "The image of tasks in containers that name none.", "none"),
    setting(
        _MACHINE,
        "--docker-host",
        "URL",
        "The Docker engine's address.",
        "the engine's own",
        variable="DOCKER_HOST",
    ),
    setting(
        _MACHINE,
        "--kubeconfig",
        "FILE",
        "How to reach Kubernetes clusters.",
        "Kubernetes' own",
        variable="KUBECONFIG",
    ),
    setting(_MACHINE, "--ssh-agent", None, "Lend this user's ssh agent to tasks that ask for it.", "False"),
    setting(
        _MACHINE,
        "--ssh-known-hosts",
        "FILE",
        "The keys of hosts that tasks in containers may reach by ssh.",
        "/etc/ssh/ssh_known_hosts",
    ),
    setting(_MACHINE, "--grace-seconds", "S", "How long a task may take to stop before it is killed.", "10"),
    setting(_MACHINE, "--ignore-images", None, "Run tasks without the image that they ask for.", "False"),
    setting(
        _MACHINE, "--otlp-traces-endpoint", "URL", "Where builder tasks send their spans.", "their own logs"
    ),
    setting(
        _MACHINE,
        "--otlp-logs-endpoint",
        "URL",
        "Where builder tasks send their log records.",
        "their own logs",
    ),
    setting(_MACHINE, "--log-level", "LEVEL", "debug, info, warning or error.", "info"),
)
"""The settings of a machine that work is done on, as options."""
