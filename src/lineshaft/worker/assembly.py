"""A worker, put together: folders, executor, drivers, agent."""

import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from lineshaft import __version__
from lineshaft.docker import DockerAccess
from lineshaft.executors.label import label_prefix
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.settings import MachineSettings, SandboxChoice
from lineshaft.integrations.git.mirror import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.kubernetes import ClusterAccess
from lineshaft.integrations.outgoing import Guard
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.work import WorkKind
from lineshaft.sdk.worker_files import WorkerFiles
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.wire.worker import Hello
from lineshaft.worker.agent import Agent
from lineshaft.worker.capacity import memory_bytes, processors
from lineshaft.worker.checkouts import Checkouts
from lineshaft.worker.driver import Driver
from lineshaft.worker.drivers.build import BuildDriver
from lineshaft.worker.drivers.deploy import DeployDriver
from lineshaft.worker.drivers.run import RunDriver
from lineshaft.worker.files.no_files import NoFiles
from lineshaft.worker.isolation import executor_of_tasks
from lineshaft.worker.load import LoadGate
from lineshaft.worker.otlp import NO_ENDPOINTS, Endpoints
from lineshaft.worker.session import Equipment
from lineshaft.worker.settings import DRIVERS
from lineshaft.worker.source import Sources
from lineshaft.worker.workspace import Workspaces


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What a worker is to be.

    Attributes:
        name: unique among the server's workers.
        data: the folder below which it keeps a folder of its own, named after it.
        slots: how many attempts it takes at once.
        kinds: the kinds of work that it serves.
        labels: what it says of itself.
        cpus: how many processors it gives to tasks; None means that they may ask for any number.
        memory_bytes: how much memory it gives to tasks; None means that they may ask for any amount.
        max_load: it takes nothing while the machine's processors are busier than this, from 0 to 1; None
            means that it takes work however busy they are.
        workspace_root: the folder in which workspaces are kept, in one of its own; None means below `data`.
        workspaces_kept: how many workspaces that nobody uses are kept.
        git_roots: below which a repository may be a local path.
        grace: how long a command may go on after it was asked to end.
        private_repositories: whether repositories may be in private networks.
        sandbox: whether tasks run in a sandbox.
        private: folders and files that a sandbox hides besides the worker's own folders.
        docker_host: the Docker engine's address; None means what docker itself would use.
        kubeconfig: the kubeconfig file; None means what kubectl itself would use.
        ignore_images: whether tasks that ask for an image or for services run as plain processes.
        endpoints: where build entry points send their telemetry; by default into their own logs.
    """

    name: str
    data: Path
    slots: int
    kinds: frozenset[WorkKind] = DRIVERS
    labels: tuple[str, ...] = ()
    cpus: float | None = None
    memory_bytes: int | None = None
    max_load: float | None = None
    workspace_root: Path | None = None
    workspaces_kept: int = 16
    git_roots: Sequence[Path] = ()
    grace: timedelta = timedelta(seconds=10)
    private_repositories: bool = True
    sandbox: SandboxChoice = SandboxChoice.NONE
    private: Sequence[Path] = ()
    docker_host: str | None = None
    kubeconfig: Path | None = None
    ignore_images: bool = False
    endpoints: Endpoints = NO_ENDPOINTS

    @classmethod
    def of(cls, name: str, settings: MachineSettings) -> "WorkerPlan":
        """Plan a worker by the settings of the machine that it works on.

        Args:
            name: unique among the server's workers.
            settings: what they say; what they do not say of processors and memory, the machine does.
        """
        return cls(
            name=name,
            data=settings.data,
            slots=settings.slots,
            labels=settings.labels,
            cpus=processors() if settings.cpus is None else settings.cpus,
            memory_bytes=memory_bytes() if settings.memory is None else settings.memory,
            max_load=settings.max_load,
            workspaces_kept=settings.workspaces_kept,
            git_roots=settings.git_roots,
            grace=timedelta(seconds=settings.grace_seconds),
            private_repositories=settings.private_repositories,
            sandbox=settings.sandbox,
            private=settings.private_paths(),
            docker_host=settings.docker_host,
            kubeconfig=settings.kubeconfig,
            ignore_images=settings.ignore_images,
            endpoints=Endpoints(settings.otlp_traces_endpoint, settings.otlp_logs_endpoint),
        )

    def hello(self) -> Hello:
        """Put together what the worker says of itself."""
        return Hello(
            name=self.name,
            kinds=self.kinds,
            slots=self.slots,
            labels=frozenset(self.labels),
            cpus=self.cpus,
            memory_bytes=self.memory_bytes,
            version=__version__,
        )


@asynccontextmanager
async def open_agent(
    plan: WorkerPlan,
    protocol: WorkerProtocol,
    environ: Mapping[str, str] = os.environ,
    *,
    files: WorkerFiles | None = None,
) -> AsyncIterator[Agent]:
    """Make an agent ready to run, with what a killed predecessor has left cleared away.

    Args:
        plan: what it is to be.
        protocol: how it talks to its server.
        environ: the worker's environment, which also tells where Docker and Kubernetes are.
        files: where files of attempts are kept; None means nowhere.

    Raises:
        ConfigurationError: another worker of this name uses the folder, it cannot be made, or there can be no
            sandbox although the plan insists on one.
    """
    # A name may hold characters that a folder's may not.
    digest = hashlib.sha256(plan.name.encode()).hexdigest()[:12]
    folder = plan.data / "workers" / digest
    workspace_folder = folder if plan.workspace_root is None else plan.workspace_root / digest
    for each in (folder, workspace_folder):
        _make(each)
    with _alone_in({folder, workspace_folder}, plan.name):
        executor = ProcessExecutor()
        prefix = label_prefix(folder)
        await executor.sweep(prefix)
        workspaces = Workspaces(workspace_folder / "workspaces")
        handovers = Workspaces(folder / "handovers")
        checkouts = Checkouts(workspace_folder / "checkouts", plan.workspaces_kept)
        await checkouts.recover()
        await workspaces.clear()
        await handovers.clear()
        git = GitProgram(executor, folder, f"{prefix}git")
        guard = Guard(allow_private=plan.private_repositories)
        mirrors = Mirrors(git, folder / "mirrors", plan.git_roots, guard=guard)
        sources = Sources(workspaces, checkouts, mirrors)
        private = (*plan.private, plan.data, workspace_folder)
        run = RunDriver(
            await executor_of_tasks(
                plan.sandbox,
                folder,
                private,
                f"{prefix}trial",
                environment=environ,
                docker_host=plan.docker_host,
            ),
            sources,
            handovers,
            label_prefix=prefix,
            grace=plan.grace,
            environment=environ,
            ignore_images=plan.ignore_images,
            endpoints=plan.endpoints,
        )
        try:
            drivers = _drivers(run, sources, plan, environ)
            equipment = Equipment(
                protocol,
                drivers,
                plan.name,
                plan.slots,
                LoadGate(plan.max_load),
                files=files or NoFiles(),
            )
            yield Agent(plan.hello(), equipment)
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
    drivers: dict[WorkKind, Driver] = {
        WorkKind.RUN: run,
        WorkKind.BUILD: BuildDriver(docker, sources),
        WorkKind.DEPLOY: DeployDriver(clusters, sources),
    }
    return {kind: driver for kind, driver in drivers.items() if kind in plan.kinds}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The worker's folder {folder} cannot be made: {error.strerror}.",
            advice="Name another folder with --data or --workspace-root, or let this user write there.",
        ) from error


@contextmanager
def _alone_in(folders: AbstractSet[Path], name: str) -> Iterator[None]:
    with ExitStack() as opened:
        for folder in folders:
            # The lock goes with the process, however that ends.
            lock = opened.enter_context((folder / "lock").open("w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ConfigurationError(
                    f"Another worker named '{name}' works in {folder}.",
                    advice="Give this one another name, or another data folder.",
                ) from error
        yield
