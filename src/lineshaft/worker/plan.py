"""What a worker is to be, whichever program starts it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft import __version__
from lineshaft.docker import DockerAccess
from lineshaft.executors.settings import ExecutorChoice, MachineSettings, SandboxChoice
from lineshaft.model.work import WorkKind
from lineshaft.wire.worker import Hello
from lineshaft.worker.capacity import memory_bytes, processors
from lineshaft.worker.containers import Containers
from lineshaft.worker.failed_workspaces import Keeping
from lineshaft.worker.otlp import NO_ENDPOINTS, Endpoints
from lineshaft.worker.settings import DRIVERS

_GIB: Final = 1024**3


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
        lfs_bytes: how much of what Git LFS keeps for repositories is kept here, too.
        keep_failed: for how long the workspace of a failed attempt is kept; None keeps none.
        git_roots: below which a repository may be a local path.
        grace: how long a command may go on after it was asked to end.
        private_repositories: whether repositories may be in private networks.
        sandbox: whether tasks run in a sandbox.
        private: folders and files that a sandbox hides besides the worker's own folders.
        executor: in what tasks run.
        default_image: the image of tasks in containers that name none; None refuses these.
        ssh_agent: whether tasks that ask for it may use the worker's own ssh agent.
        known_hosts: the file with the keys of hosts that tasks in containers may reach by ssh; None leaves
            them to their images.
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
    lfs_bytes: int = 10 * _GIB
    keep_failed: timedelta | None = None
    git_roots: Sequence[Path] = ()
    grace: timedelta = timedelta(seconds=10)
    private_repositories: bool = True
    sandbox: SandboxChoice = SandboxChoice.NONE
    private: Sequence[Path] = ()
    executor: ExecutorChoice = ExecutorChoice.PROCESS
    default_image: str | None = None
    ssh_agent: bool = False
    known_hosts: Path | None = None
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
            lfs_bytes=settings.lfs_gib * _GIB,
            keep_failed=settings.keep_failed,
            git_roots=settings.git_roots,
            grace=timedelta(seconds=settings.grace_seconds),
            private_repositories=settings.private_repositories,
            sandbox=settings.sandbox,
            private=settings.private_paths(),
            executor=settings.executor,
            default_image=settings.default_image,
            ssh_agent=settings.ssh_agent,
            known_hosts=settings.ssh_known_hosts,
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
            labels=frozenset((*self.labels, self.executor.label)),
            cpus=self.cpus,
            memory_bytes=self.memory_bytes,
            version=__version__,
        )

    def docker(self, environ: Mapping[str, str]) -> DockerAccess:
        """Tell where its Docker engine is.

        Args:
            environ: the worker's environment, which tells what the plan does not say.
        """
        access = DockerAccess.from_environment(environ, home=Path(environ.get("HOME") or "/"))
        return access if self.docker_host is None else replace(access, address=self.docker_host)

    @property
    def keeping(self) -> Keeping:
        """How it keeps the workspaces of failed attempts."""
        return Keeping(self.name, self.keep_failed, self.executor, self.default_image)

    @property
    def containers(self) -> Containers | None:
        """In what its tasks run; None where they run as plain processes."""
        if self.executor is ExecutorChoice.PROCESS:
            return None
        return Containers(self.default_image, self.known_hosts)
