"""Leases for drivers, and the log that one attempt writes."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.lfs import LargeFiles, ObjectStore
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.outcome import Outcome
from lineshaft.ports.executor import Executor
from lineshaft.sdk.agent.driver import Assignment, Driver
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.sdk.worker_files import WorkerFiles
from lineshaft.wire.work import AnyWorkMessage, ExecWorkMessage, RunWorkMessage
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.checkouts import KEPT, Checkouts
from lineshaft.worker.containers import Containers
from lineshaft.worker.drivers.run import RunDriver
from lineshaft.worker.files import NoFiles
from lineshaft.worker.otlp import NO_ENDPOINTS, Endpoints
from lineshaft.worker.place import Places
from lineshaft.worker.source import Sources
from lineshaft.worker.ssh import SshAgents
from lineshaft.worker.workspace import Workspaces

RUN_ID = UUID("0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")


class Log:
    """Keeps what an attempt has written."""

    def __init__(self) -> None:
        self.data = b""

    @property
    def text(self) -> str:
        return self.data.decode()

    async def write(self, data: bytes) -> None:
        self.data += data


def lease_of(work: AnyWorkMessage | str, **facts: Any) -> LeaseMessage:
    """Make a lease; a text is a script for the plain shell."""
    message = RunWorkMessage(command=work) if isinstance(work, str) else work
    said = {
        "address": AttemptAddress(RUN_ID, 3, 2),
        "token": "token",
        "pipeline_id": RUN_ID,
        "pipeline_name": "shop",
        "run_number": 7,
        "path": "test/unit",
        "timeout_seconds": 60,
        "repository": None,
        "commit": None,
    }
    return LeaseMessage.model_validate({**said, "work": message, **facts})


def exec_of(*arguments: str) -> ExecWorkMessage:
    """Make the work of a program that is called without a shell."""
    return ExecWorkMessage(arguments=arguments)


@dataclass
class Bench:
    """The run driver of one worker."""

    folder: Path
    driver: RunDriver
    checkouts: Checkouts
    log: Log = field(default_factory=Log)
    resolved: list[str] = field(default_factory=list)
    files: WorkerFiles = field(default_factory=NoFiles)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    pauses: list[timedelta] = field(default_factory=list)

    async def run(self, work: AnyWorkMessage | str, **facts: Any) -> Outcome:
        """Have an attempt done."""
        return await perform(
            self.driver, lease_of(work, **facts), self.log, self.resolved, self.stop, files=self.files
        )

    def left_behind(self) -> list[Path]:
        """List what is in the folders of attempts, which should be nothing."""
        roots = (self.folder / "workspaces", self.folder / "handovers")
        return [path for root in roots for lent in root.iterdir() for path in lent.iterdir()]


async def perform(
    driver: Driver,
    lease: LeaseMessage,
    log: Log,
    resolved: list[str],
    stop: asyncio.Event | None = None,
    *,
    files: WorkerFiles | None = None,
) -> Outcome:
    """Have a driver work on an attempt whose source is where the driver finds it."""

    async def resolve_source(commit: str) -> str:
        resolved.append(commit)
        return commit

    masking = Masking()
    await masking.learn({**lease.secret_values, **lease.id_tokens})
    masked = MaskedLog(log, masking)
    stopped = stop or asyncio.Event()
    assignment = Assignment(lease, masked, stopped, resolve_source, masking, files or NoFiles())
    outcome = await driver.perform(assignment)
    await masked.finish()
    return outcome


def mirrors_in(folder: Path) -> Mirrors:
    """Keep mirrors in a folder; local repositories may lie below it."""
    return Mirrors(GitProgram(ProcessExecutor(), folder, "test/git"), folder / "mirrors", (folder,))


def large_files_in(folder: Path, pauses: list[timedelta] | None = None) -> LargeFiles:
    """Keep objects of Git LFS in a folder; a server that is away is asked again at once.

    Args:
        folder: where they are.
        pauses: takes for how long it would have been waited.
    """

    async def no_time(pause: timedelta) -> None:
        if pauses is not None:
            pauses.append(pause)

    return LargeFiles(ObjectStore(folder / "lfs", 10**9), no_time)


@asynccontextmanager
async def sources_in(folder: Path) -> AsyncIterator[Sources]:
    """Lend workspaces in a folder, below which local repositories may lie."""
    workspaces, checkouts = Workspaces(folder / "workspaces"), Checkouts(folder / "checkouts")
    try:
        yield Sources(workspaces, checkouts, mirrors_in(folder), large_files_in(folder))
    finally:
        await checkouts.close()
        await workspaces.close()


@asynccontextmanager
async def bench(
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    ignore_images: bool = False,
    endpoints: Endpoints = NO_ENDPOINTS,
    kept: int = KEPT,
    executor: Executor | None = None,
    containers: Containers | None = None,
    lent_agent: Path | None = None,
) -> AsyncIterator[Bench]:
    """Set a run driver up; local repositories may lie below the folder."""
    workspaces, handovers = Workspaces(folder / "workspaces"), Workspaces(folder / "handovers")
    checkouts = Checkouts(folder / "checkouts", kept)
    await checkouts.recover()
    pauses: list[timedelta] = []
    sources = Sources(workspaces, checkouts, mirrors_in(folder), large_files_in(folder, pauses))
    inherited = os.environ if environment is None else environment
    places = Places(
        handovers,
        SshAgents(ProcessExecutor(), os.environ, lent_agent),
        inherited,
        label_prefix=f"test{folder}/".replace(" ", "_"),
        containers=containers,
        ignore_images=ignore_images,
    )
    driver = RunDriver(
        executor or ProcessExecutor(), sources, places, grace=timedelta(seconds=2), endpoints=endpoints
    )
    try:
        yield Bench(folder, driver, checkouts, pauses=pauses)
    finally:
        await checkouts.close()
        await workspaces.close()
        await handovers.close()
