"""A worker, put together: folders, executor, drivers, agent."""

import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from lineshaft.executors.label import label_prefix
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.eviction import MirrorEviction
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.kubernetes import ClusterAccess
from lineshaft.integrations.lfs import LargeFiles, ObjectStore
from lineshaft.integrations.outgoing import Guard
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import SystemClock
from lineshaft.sdk.agent.agent import Agent
from lineshaft.sdk.agent.driver import Driver
from lineshaft.sdk.agent.load import LoadGate
from lineshaft.sdk.agent.no_files import NoFiles
from lineshaft.sdk.agent.session import Equipment
from lineshaft.sdk.worker_files import WorkerFiles
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.worker.checkouts import Checkouts
from lineshaft.worker.drivers.build import BuildDriver
from lineshaft.worker.drivers.deploy import DeployDriver
from lineshaft.worker.drivers.run import RunDriver
from lineshaft.worker.engine import EngineWatch
from lineshaft.worker.failed_workspaces import FailedWorkspaces, failed_root
from lineshaft.worker.isolation import task_executor
from lineshaft.worker.place import Places
from lineshaft.worker.plan import WorkerPlan
from lineshaft.worker.source import Sources
from lineshaft.worker.ssh import SshAgents
from lineshaft.worker.workshops import Workshops
from lineshaft.worker.workspace import Workspaces


@asynccontextmanager
async def open_agent(
    plan: WorkerPlan,
    protocol: WorkerProtocol,
    environ: Mapping[str, str] = os.environ,
    *,
    files: WorkerFiles | None = None,
    watch: EngineWatch | None = None,
) -> AsyncIterator[Agent]:
    """Make an agent ready to run, with what a killed predecessor has left cleared away.

    Args:
        plan: what it is to be.
        protocol: how it talks to its server.
        environ: the worker's environment, which also tells where Docker and Kubernetes are.
        files: where files of attempts are kept; None means nowhere.
        watch: how its Docker engine is watched; None means as `WatchedEngine` does.

    Raises:
        ConfigurationError: another worker of this name uses the folder, it cannot be made, or what the plan
            insists on is not there: a sandbox, a Docker engine, an ssh agent.
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
        failed = FailedWorkspaces(failed_root(folder, workspace_folder), plan.keeping)
        await checkouts.recover()
        await failed.recover()
        await workspaces.clear()
        await handovers.clear()
        git = GitProgram(executor, folder, f"{prefix}git")
        guard = Guard(allow_private=plan.private_repositories)
        mirrors = Mirrors(git, folder / "mirrors", plan.git_roots, guard=guard)
        eviction = MirrorEviction(folder / "mirrors", SystemClock(), wanted=failed.mirrors)
        large = LargeFiles(ObjectStore(folder / "lfs", plan.lfs_bytes))
        sources = Sources(workspaces, checkouts, mirrors, large, failed)
        private = (*plan.private, plan.data, workspace_folder)
        agents = SshAgents(executor, environ, _lent_agent(plan, environ))
        workshops = Workshops(executor, handovers, prefix, agents)
        places = Places(
            handovers,
            agents,
            environ,
            label_prefix=prefix,
            containers=plan.containers,
            ignore_images=plan.ignore_images,
        )
        try:
            running = task_executor(
                plan, folder, private, prefix, environment=environ, workshops=workshops, watch=watch
            )
            async with eviction.running(), running as (tasks, can_work):
                run = RunDriver(tasks, sources, places, grace=plan.grace, endpoints=plan.endpoints)
                build = BuildDriver(plan.docker(environ), sources, workshops)
                drivers = _drivers(run, build, sources, plan, environ)
                equipment = Equipment(
                    protocol,
                    drivers,
                    plan.name,
                    plan.slots,
                    LoadGate(plan.max_load),
                    files=files or NoFiles(),
                    can_work=can_work,
                )
                yield Agent(plan.hello(), equipment)
        finally:
            await failed.close()
            await checkouts.close()
            await workspaces.close()
            await handovers.close()


def _lent_agent(plan: WorkerPlan, environ: Mapping[str, str]) -> Path | None:
    """Find the ssh agent that tasks may use.

    Raises:
        ConfigurationError: they may, and there is none.
    """
    if not plan.ssh_agent:
        return None
    socket = environ.get("SSH_AUTH_SOCK")
    if not socket:
        raise ConfigurationError(
            "There is no ssh agent to lend to tasks: SSH_AUTH_SOCK names none.",
            advice="Start one with `ssh-agent`, or leave --ssh-agent out.",
        )
    return Path(socket)


def _drivers(
    run: RunDriver, build: BuildDriver, sources: Sources, plan: WorkerPlan, environ: Mapping[str, str]
) -> Mapping[str, Driver]:
    clusters = ClusterAccess.from_environment(environ, home=Path(environ.get("HOME") or "/"))
    if plan.kubeconfig is not None:
        clusters = replace(clusters, kubeconfigs=(plan.kubeconfig,))
    drivers: dict[str, Driver] = {
        WorkKind.RUN: run,
        WorkKind.BUILD: build,
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
