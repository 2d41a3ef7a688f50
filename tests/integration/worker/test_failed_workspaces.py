"""The workspaces of failed attempts: what is kept, for how long, and who finds it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from git_server import Origin
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.settings import ExecutorChoice
from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.worker.checkouts import Checkouts
from lineshaft.worker.drivers.run import RunDriver
from lineshaft.worker.failed import FOLDER, opened_failed
from lineshaft.worker.failed_workspaces import MOST, FailedWorkspaces, Keeping, failed_root
from lineshaft.worker.place import Places
from lineshaft.worker.source import Sources
from lineshaft.worker.ssh import SshAgents
from lineshaft.worker.workspace import Workspaces
from worker_tasks import RUN_ID, Log, large_files_in, lease_of, mirrors_in, perform

PATH = "test/unit"
HOUR = timedelta(hours=1)


@dataclass
class Pauses:
    """Lets a timer go on when a test says so."""

    asked: asyncio.Queue[timedelta] = field(default_factory=asyncio.Queue)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, time: timedelta) -> None:
        self.asked.put_nowait(time)
        await self.over.wait()
        self.over.clear()


@dataclass
class Keeper:
    """The kept workspaces of one worker, whose data folder is that of the test."""

    data: Path
    clock: ManualClock = field(default_factory=ManualClock)
    pauses: Pauses = field(default_factory=Pauses)
    numbers: int = 0

    @property
    def worker(self) -> Path:
        return self.data / "workers" / "one"

    @property
    def root(self) -> Path:
        return self.worker / FOLDER

    @asynccontextmanager
    async def opened(self, keep: timedelta | None = HOUR) -> AsyncIterator[FailedWorkspaces]:
        """Have a worker's, from its start to its end."""
        self.worker.mkdir(parents=True, exist_ok=True)
        keeping = Keeping("one", keep, default_image="tools")
        failed = FailedWorkspaces(self.root, keeping, self.clock, self.pauses)
        await failed.recover()
        try:
            yield failed
        finally:
            await failed.close()

    def workspace(self, text: str = "of the task") -> Path:
        """Make a workspace as a task leaves it."""
        self.numbers += 1
        folder = self.worker / f"workspace-{self.numbers}"
        folder.mkdir(mode=0o700)
        (folder / "file").write_text(text)
        return folder

    def found(self, path: str = PATH) -> str | None:
        """Tell what a shell finds in the file of the task."""
        with opened_failed(self.data, RUN_ID, path) as kept:
            return None if kept is None else (kept.folder / "file").read_text()


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path / "data")


async def test_a_workspace_is_moved_and_found_by_run_and_node(keeper: Keeper) -> None:
    async with keeper.opened() as failed:
        folder = keeper.workspace()
        inode = (folder / "file").stat().st_ino
        kept = await failed.keep(lease_of("false"), folder, "c0ffee", ())
        assert kept is not None
        assert not folder.exists()
        assert (kept.folder / "file").stat().st_ino == inode
        assert (keeper.found(), keeper.found("test/other")) == ("of the task", None)


async def test_nothing_that_is_secret_is_kept_of_a_lease(keeper: Keeper) -> None:
    lease = lease_of(
        "false",
        token="of-the-lease",
        secrets=("KEY",),
        secret_values={"KEY": "of-the-secret"},
        id_tokens={"ID": "of-the-identity"},
        repository="https://user:of-the-address@example.org/shop.git",
        changeset=("caf\udce9",),
        env={"LEVEL": "full"},
    )
    async with keeper.opened() as failed:
        await failed.keep(lease, keeper.workspace(), "c0ffee", ())
        (facts,) = keeper.root.glob("*/facts.json")
        assert "of-the-" not in facts.read_text()
        assert facts.stat().st_mode & 0o777 == 0o600
        with opened_failed(keeper.data, RUN_ID, PATH) as kept:
            assert kept is not None
            told = kept.facts
    assert (told.lease.secrets, told.lease.env) == (("KEY",), {"LEVEL": "full"})
    assert told.lease.changeset == ("caf\udce9",)
    assert (told.commit, told.executor, told.default_image) == ("c0ffee", ExecutorChoice.PROCESS, "tools")
    assert told.until == keeper.clock.now() + HOUR


async def test_the_mirrors_that_what_is_kept_reads_are_wanted_until_it_goes(keeper: Keeper) -> None:
    mirror = keeper.data / "mirrors" / "one.git"
    async with keeper.opened() as failed:
        await failed.keep(lease_of("false"), keeper.workspace(), "c0ffee", (mirror / "objects",))
    async with keeper.opened() as failed:
        assert failed.mirrors() == {mirror}
        await failed.discard_all()
        assert failed.mirrors() == frozenset()


async def test_the_newest_attempt_is_opened(keeper: Keeper) -> None:
    async with keeper.opened() as failed:
        for attempt in (2, 3, 1):
            address = {"run_id": RUN_ID, "node": 3, "attempt": attempt}
            await failed.keep(lease_of("false", address=address), keeper.workspace(f"{attempt}"), None, ())
        assert keeper.found() == "3"


async def test_the_oldest_goes_when_there_are_too_many(keeper: Keeper) -> None:
    async with keeper.opened() as failed:
        for number in range(MOST + 1):
            lease = lease_of("false", path=f"node-{number}")
            await failed.keep(lease, keeper.workspace(), None, ())
            keeper.clock.advance(timedelta(seconds=1))
    assert (keeper.found("node-0"), keeper.found("node-1")) == (None, "of the task")
    assert len(list(keeper.root.iterdir())) == MOST


async def test_a_workspace_goes_when_its_time_is_over(keeper: Keeper) -> None:
    async with keeper.opened() as failed:
        await failed.keep(lease_of("false", path="first"), keeper.workspace(), None, ())
        assert await keeper.pauses.asked.get() == HOUR
        keeper.clock.advance(HOUR / 2)
        await failed.keep(lease_of("false", path="second"), keeper.workspace(), None, ())
        assert await keeper.pauses.asked.get() == HOUR / 2
        keeper.clock.advance(HOUR / 2)
        keeper.pauses.over.set()
        assert await keeper.pauses.asked.get() == HOUR / 2
    assert (keeper.found("first"), keeper.found("second")) == (None, "of the task")


async def test_a_worker_that_starts_removes_what_is_overdue_or_not_whole(keeper: Keeper) -> None:
    async with keeper.opened() as failed:
        await failed.keep(lease_of("false", path="first"), keeper.workspace(), None, ())
        keeper.clock.advance(HOUR / 2)
        await failed.keep(lease_of("false", path="second"), keeper.workspace(), None, ())
    (keeper.root / "begun" / "workspace").mkdir(parents=True)
    (keeper.root / "torn" / "workspace").mkdir(parents=True)
    (keeper.root / "torn" / "facts.json").write_text('{"lease": ')
    keeper.clock.advance(HOUR / 2)
    async with keeper.opened(keep=None):
        assert await keeper.pauses.asked.get() is not None
    assert (keeper.found("first"), keeper.found("second")) == (None, "of the task")
    assert len(list(keeper.root.iterdir())) == 1


async def test_a_shell_that_is_at_work_removes_behind_itself_what_is_over(keeper: Keeper) -> None:
    async with keeper.opened() as failed:
        await failed.keep(lease_of("false"), keeper.workspace(), None, ())
        with opened_failed(keeper.data, RUN_ID, PATH) as kept:
            assert kept is not None
            await failed.discard_all()
            assert (kept.folder / "file").read_text() == "of the task"
            assert keeper.found() is None
    assert list(keeper.root.iterdir()) == []


async def test_what_a_shell_changes_stays_for_the_next(keeper: Keeper) -> None:
    async with keeper.opened() as failed:
        await failed.keep(lease_of("false"), keeper.workspace(), None, ())
        with opened_failed(keeper.data, RUN_ID, PATH) as kept:
            assert kept is not None
            (kept.folder / "file").write_text("of the shell")
        assert keeper.found() == "of the shell"


@pytest.mark.parametrize("left", ["gone", "file", "link"])
async def test_what_is_no_workspace_any_more_is_not_kept(keeper: Keeper, left: str) -> None:
    place = keeper.worker / "left"
    async with keeper.opened() as failed:
        if left == "file":
            place.write_text("")
        elif left == "link":
            place.symlink_to(keeper.data)
        assert await failed.keep(lease_of("false"), place, None, ()) is None
    assert list(keeper.root.iterdir()) == []


async def test_a_workspace_whose_rights_are_taken_away_is_kept(keeper: Keeper) -> None:
    async with keeper.opened() as failed:
        folder = keeper.workspace()
        folder.chmod(0)
        assert await failed.keep(lease_of("false"), folder, None, ()) is not None
        assert keeper.found() == "of the task"


def test_workspaces_elsewhere_are_found_by_the_data_folder(keeper: Keeper, tmp_path: Path) -> None:
    other = tmp_path / "other"
    keeper.worker.mkdir(parents=True)
    assert failed_root(keeper.worker, keeper.worker) == keeper.root
    keeper.root.mkdir()
    assert failed_root(keeper.worker, other) == other / FOLDER
    assert keeper.root.readlink() == other / FOLDER
    assert failed_root(keeper.worker, keeper.worker) == keeper.root
    assert not os.path.lexists(keeper.root)


class Worker:
    """A run driver whose failed attempts leave their workspaces."""

    def __init__(self, driver: RunDriver) -> None:
        self.log = Log()
        self._driver = driver

    async def run(self, script: str, *, stop: asyncio.Event | None = None, **facts: Any) -> Outcome:
        return await perform(self._driver, lease_of(script, **facts), self.log, [], stop)


@pytest.fixture
async def worker(keeper: Keeper) -> AsyncIterator[Worker]:
    folder = keeper.data.parent
    async with keeper.opened() as failed:
        workspaces, handovers = Workspaces(keeper.worker / "workspaces"), Workspaces(folder / "handovers")
        checkouts = Checkouts(keeper.worker / "checkouts")
        await checkouts.recover()
        sources = Sources(workspaces, checkouts, mirrors_in(folder), large_files_in(folder), failed)
        agents = SshAgents(ProcessExecutor(), os.environ, None)
        places = Places(handovers, agents, os.environ, label_prefix=f"test{folder}/".replace(" ", "_"))
        yield Worker(RunDriver(ProcessExecutor(), sources, places, grace=timedelta(seconds=2)))
        for each in (checkouts, workspaces, handovers):
            await each.close()


@pytest.mark.parametrize("sourced", [True, False])
async def test_the_log_of_a_failed_task_tells_how_to_get_there(
    worker: Worker, keeper: Keeper, origin: Origin, sourced: bool
) -> None:
    origin.commit("of the commit")
    facts: dict[str, Any] = {"repository": str(origin.bare)} if sourced else {}
    outcome = await worker.run("echo of the task > file; exit 3", **facts)

    assert outcome.state is State.FAILED
    assert f"until 2026-01-01T01:00:00Z, on 'one': lineshaft shell {RUN_ID} test/unit\n" in worker.log.text
    assert keeper.found() == "of the task\n"


async def test_the_next_task_gets_a_workspace_of_its_own(worker: Worker, origin: Origin) -> None:
    origin.commit("of the commit")
    facts: dict[str, Any] = {"repository": str(origin.bare)}
    await worker.run("echo of the task > file; exit 3", **facts)
    outcome = await worker.run('test "$(cat file)" = "of the commit" && git status', **facts)

    assert outcome.state is State.SUCCEEDED


async def test_a_task_that_ran_out_of_time_leaves_its_workspace(worker: Worker, keeper: Keeper) -> None:
    outcome = await worker.run("echo of the task > file; exec sleep 600", timeout_seconds=0.5)

    assert outcome.state is State.TIMED_OUT
    assert "The workspace is kept" in worker.log.text
    assert len(list(keeper.root.iterdir())) == 1


async def test_a_task_that_succeeded_or_was_stopped_leaves_none(worker: Worker, keeper: Keeper) -> None:
    stop = asyncio.Event()
    stop.set()

    assert (await worker.run("echo yes > file")).state is State.SUCCEEDED
    assert (await worker.run("echo yes > file", stop=stop)).state is State.CANCELLED
    assert list(keeper.root.iterdir()) == []
