"""The executor of tasks: of containers, or of processes in a sandbox, where that is wanted and can be had."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, assert_never

from lineshaft.docker.provision import Images
from lineshaft.executors.docker import DockerExecutor
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.sandbox import find_sandbox, why_unusable
from lineshaft.executors.settings import ExecutorChoice, SandboxChoice
from lineshaft.model.errors import ConfigurationError
from lineshaft.ports.executor import Executor
from lineshaft.worker.engine import EngineWatch, WatchedEngine, check_engine, why_away
from lineshaft.worker.plan import WorkerPlan
from lineshaft.worker.workshops import Workshops

_UNIX: Final = "unix://"
_NO_PROGRAM: Final = "bwrap (bubblewrap) is not installed"

_LOG: Final = logging.getLogger("lineshaft.worker")


@asynccontextmanager
async def task_executor(
    plan: WorkerPlan,
    folder: Path,
    private: Sequence[Path],
    prefix: str,
    *,
    environment: Mapping[str, str],
    workshops: Workshops,
    watch: EngineWatch | None = None,
) -> AsyncIterator[tuple[Executor, Callable[[], bool]]]:
    """Have the executor of tasks, with what a killed worker has left there cleared away.

    Args:
        plan: what the worker is to be.
        folder: its own, below one of the private ones.
        private: what tasks are not to see.
        prefix: of the labels of all that it runs.
        environment: its own.
        workshops: lends what it needs to build images.
        watch: how its Docker engine is watched; None means as `WatchedEngine` does.

    Yields:
        The executor, and what tells whether it can run anything now.

    Raises:
        ConfigurationError: what the plan insists on is not there: a sandbox, or a Docker engine.
    """
    match plan.executor:
        case ExecutorChoice.PROCESS:
            yield (
                await sandboxed(
                    plan.sandbox,
                    folder,
                    private,
                    f"{prefix}trial",
                    environment=environment,
                    docker_host=plan.docker_host,
                ),
                lambda: True,
            )
        case ExecutorChoice.DOCKER:
            access = plan.docker(environment)
            await check_engine(access)
            executor = DockerExecutor(access, folder, images=Images(access, workshop=workshops.for_images))
            watched = WatchedEngine(executor, partial(why_away, access), watch)
            try:
                await watched.sweep(prefix)
                yield watched, watched.is_there
            finally:
                await watched.close()
                await executor.close()
        case _:
            assert_never(plan.executor)


async def sandboxed(
    choice: SandboxChoice,
    folder: Path,
    private: Sequence[Path],
    label: str,
    *,
    environment: Mapping[str, str],
    docker_host: str | None,
) -> ProcessExecutor:
    """Make the executor of plain processes, and try once whether its sandbox works.

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
