"""The executor of tasks: in a sandbox, where that is wanted and can be had."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.sandbox import find_sandbox, why_unusable
from lineshaft.executors.settings import SandboxChoice
from lineshaft.model.errors import ConfigurationError

_UNIX: Final = "unix://"
_NO_PROGRAM: Final = "bwrap (bubblewrap) is not installed"

_LOG: Final = logging.getLogger("lineshaft.worker")


async def executor_of_tasks(
    choice: SandboxChoice,
    folder: Path,
    private: Sequence[Path],
    label: str,
    *,
    environment: Mapping[str, str],
    docker_host: str | None,
) -> ProcessExecutor:
    """Make the executor of tasks, and try once whether its sandbox works.

    Args:
        choice: what the settings say.
        folder: the worker's own, below one of the private ones.
        private: what tasks are not to see.
        label: of the trial's command.
        environment: the worker's.
        docker_host: the Docker engine's address, whose socket is not for tasks either.

    Raises:
        ConfigurationError: there can be no sandbox, and the settings insist on one.
    """
    if choice is SandboxChoice.NONE:
        return ProcessExecutor()
    addresses = [address for address in (docker_host, environment.get("DOCKER_HOST")) if address]
    sockets = [Path(text.removeprefix(_UNIX)) for text in addresses if text.startswith(_UNIX)]
    sandbox = find_sandbox(private, environment, sockets)
    executor = ProcessExecutor(sandbox=sandbox)
    why = _NO_PROGRAM if sandbox is None else await why_unusable(executor, folder, label)
    if why is None:
        return executor
    if choice is SandboxChoice.BWRAP:
        raise ConfigurationError(
            f"Tasks cannot run in a sandbox on this machine: {why}.",
            advice="Install bubblewrap and let this user make namespaces, or set --sandbox to `auto`.",
        )
    _LOG.warning(
        "Tasks run without a sandbox: %s. They can read and write all that this user can: other workspaces, "
        "the worker's key, and what else is in its data folder. With --sandbox none this is not said again.",
        why,
    )
    return ProcessExecutor()
