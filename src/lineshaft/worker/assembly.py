"""A worker, put together: folders, executor, drivers, agent."""

import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from lineshaft.executors.label import label_prefix
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.settings import MachineSettings
from lineshaft.integrations.docker import DockerAccess
from lineshaft.integrations.git.mirror import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.kubernetes import ClusterAccess
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.work import WorkKind
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.worker.agent import Agent
from lineshaft.worker.checkouts import Checkouts
from lineshaft.worker.driver import Driver
from lineshaft.worker.drivers.build import BuildDriver
from lineshaft.worker.drivers.deploy import DeployDriver
from lineshaft.worker.drivers.run import RunDriver
from lineshaft.worker.otlp import NO_ENDPOINTS, Endpoints
from lineshaft.worker.source import Sources
from lineshaft.worker.workspace import Workspaces


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What a worker is to be.

    Attributes:
        name: unique among the server's workers.
        data: the folder below which it keeps a folder of its own, named after it.
        slots: how many attempts it takes at once.
        git_roots: below which a repository may be a local path.
        grace: how long a command may go on after it was asked to end.
        docker_host: the Docker engine's address; None means what docker itself would use.
        kubeconfig: the kubeconfig file; None means what kubectl itself would use.
        ignore_images: whether tasks that ask for an image or for services run as plain processes.
        endpoints: where build entry points send their telemetry; by default into their own logs.
    """

    name: str
    data: Path
    slots: int
    git_roots: Sequence[Path] = ()
    grace: timedelta = timedelta(seconds=10)
    docker_host: str | None = None
    kubeconfig: Path | None = None
    ignore_images: bool = False
    endpoints: Endpoints = NO_ENDPOINTS

    @classmethod
    def of(cls, name: str, settings: MachineSettings) -> "WorkerPlan":
        """Plan a worker by the settings of the machine that it works on.

        Args:
            name: unique among the server's workers.
            settings: all else.
        """
        return cls(
            name=name,
            data=settings.data,
            slots=settings.slots,
            git_roots=settings.git_roots,
            grace=timedelta(seconds=settings.grace_seconds),
            docker_host=settings.docker_host,
            kubeconfig=settings.kubeconfig,
            ignore_images=settings.ignore_images,
            endpoints=Endpoints(settings.otlp_traces_endpoint, settings.otlp_logs_endpoint),
        )


@asynccontextmanager
async def open_agent(
    plan: WorkerPlan, protocol: WorkerProtocol, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[Agent]:
    """Make an agent ready to run, with what a killed predecessor has left cleared away.

    Args:
        plan: what it is to be.
        protocol: how it talks to its server.
        environ: the worker's environment, which also tells where Docker and Kubernetes are.

    Raises:
        ConfigurationError: another worker of this name uses the folder.
    """
    digest = hashlib.sha256(plan.name.encode()).hexdigest()[:12]
    folder = plan.data / "workers" / digest
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(folder, plan.name):
        executor = ProcessExecutor()
        prefix = label_prefix(folder)
        await executor.sweep(prefix)
        workspaces = Workspaces(folder / "workspaces")
        handovers = Workspaces(folder / "handovers")
        checkouts = Checkouts(folder / "checkouts")
        await checkouts.recover()
        await workspaces.clear()
        await handovers.clear()
        git = GitProgram(executor, folder, f"{prefix}git")
        sources = Sources(workspaces, checkouts, Mirrors(git, folder / "mirrors", plan.git_roots))
        run = RunDriver(
            executor,
            sources,
            handovers,
            label_prefix=prefix,
            grace=plan.grace,
            environment=environ,
            ignore_images=plan.ignore_images,
            endpoints=plan.endpoints,
        )
        try:
            yield Agent(protocol, _drivers(run, sources, plan, environ), name=plan.name, slots=plan.slots)
        finally:
            await checkouts.close()
            await workspaces.close()
            await handovers.close()


def _drivers(
    run: RunDriver, sources: Sources, plan: WorkerPlan, environ: Mapping[str, str]
) -> Mapping[WorkKind, Driver]:
    home = Path(environ.get("HOME") or "/")
    docker = DockerAccess.from_environment(environ, home=home)
    if plan.docker_host is not None:
        docker = replace(docker, address=plan.docker_host)
    clusters = ClusterAccess.from_environment(environ, home=home)
    if plan.kubeconfig is not None:
        clusters = replace(clusters, kubeconfigs=(plan.kubeconfig,))
    return {
        WorkKind.RUN: run,
        WorkKind.BUILD: BuildDriver(docker, sources),
        WorkKind.DEPLOY: DeployDriver(clusters, sources),
    }


@contextmanager
def _alone_in(folder: Path, name: str) -> Iterator[None]:
    # The lock goes with the process, however that ends.
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"Another worker named '{name}' works in {folder}.",
                advice="Give this one another name, or another data folder.",
            ) from error
        yield
