"""What only the process executor on Linux does.

The case of the launcher is there where this user may make control groups of version 2.
"""

import asyncio
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from conformance.executors.control_groups import VERSION_2
from conformance.executors.witness import Lifeline, Recorder, Scene
from lineshaft.executors.label import label_prefix
from lineshaft.executors.process import ProcessExecutor, launched
from lineshaft.executors.process.hierarchy import Hierarchy
from lineshaft.executors.process.system import this_system
from lineshaft.executors.process.table import ProcFolder
from lineshaft.ports.executor import Ending, Exit

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux lets a process adopt orphans")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(ProcessExecutor(), tmp_path, Lifeline(tmp_path))


OPEN_FILES = Path("/proc/self/fd")


def zombies() -> set[int]:
    children = psutil.Process().children(recursive=True)
    return {child.pid for child in children if child.status() == psutil.STATUS_ZOMBIE}


# It goes on in another process and another session, over and over, and nobody waits for what it was before.
HOPPER = """
import os
lifeline = os.open("lifeline", os.O_WRONLY)
for n in range(3_000):
    if os.fork():
        os._exit(0)
    os.setsid()
    if n == 20:
        os.write(1, b"ready")
"""


async def test_who_hops_from_process_to_process_does_not_get_away(scene: Scene) -> None:
    (scene.folder / "hopper.py").write_text(HOPPER)
    script = f"{sys.executable} hopper.py & exec sleep 600"
    running = await scene.begin(scene.command(script, grace=timedelta()))
    assert scene.lifeline.held()
    scene.stop.set()

    await running
    assert not scene.lifeline.held()


async def test_an_orphan_that_has_cleaned_its_environment_is_known_by_the_output_it_holds(
    scene: Scene,
) -> None:
    stay = "echo here >&9; echo >go; /bin/sleep 600"
    script = f"exec 9>lifeline; mkfifo go; (setsid env -i /bin/sh -c '{stay}' &) & read nothing <go"

    await scene.run(script)

    assert not scene.lifeline.held()
    assert scene.lifeline.said == b"here\n"


async def test_orphans_that_die_before_their_command_leave_no_zombies(scene: Scene) -> None:
    before = zombies()
    # The FIFO ends when the last orphan has.
    script = "mkfifo done; for n in 1 2 3 4 5; do (sh -c 'exec 8>done; : ' &) & done; cat done; wait"

    await scene.run(script)

    assert zombies() <= before


class WatchedTable(ProcFolder):
    """Tells how often it was asked for this process's children."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: asyncio.Queue[None] = asyncio.Queue()

    def own_children(self) -> list[int]:
        self.looks.put_nowait(None)
        return super().own_children()


async def test_orphans_that_die_while_their_command_goes_on_are_buried_meanwhile(tmp_path: Path) -> None:
    table = WatchedTable()
    system = replace(this_system(), table=table)
    executor = ProcessExecutor(system, burial_pause=timedelta(milliseconds=20))
    scene = Scene(executor, tmp_path, Lifeline(tmp_path))
    # As many leaders of sessions as no other code here would ever leave lying; the FIFO ends when all have
    # died.
    script = """
        mkfifo done
        for n in $(seq 100); do (setsid sh -c 'exec 8>done' &) & done
        cat done; wait; echo ready; exec sleep 600
    """
    running = await scene.begin(script)
    for _ in range(table.looks.qsize() + 2):
        await table.looks.get()

    assert len(zombies()) < 64
    scene.stop.set()
    await running


async def test_a_worker_within_a_task_hands_down_the_label_of_that_task(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINESHAFT_PROCESS_LABEL", "outer/1")

    command = scene.command("echo $LINESHAFT_PROCESS_LABEL", label="inner/1")

    await ProcessExecutor().execute(command, scene.output, scene.stop)

    assert scene.output.data.decode() == f"outer/1 {command.label}\n"


async def test_what_a_killed_worker_within_a_task_leaves_is_killed_with_the_task(scene: Scene) -> None:
    label = 'LINESHAFT_PROCESS_LABEL="$LINESHAFT_PROCESS_LABEL inner/1"'
    inner = f"{label} setsid sh -c 'echo here >&9; echo >go; exec sleep 600' >/dev/null 2>&1"
    script = f"exec 9>lifeline; mkfifo go; ({inner} &) & read nothing <go"

    await scene.run(script)

    assert not scene.lifeline.held()
    assert scene.lifeline.said == b"here\n"


async def test_cancelling_while_the_sink_takes_nothing_kills_the_command(scene: Scene) -> None:
    entered = asyncio.Event()

    class StuckSink:
        async def write(self, data: bytes) -> None:
            assert data
            entered.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(scene.run("exec 9>lifeline; exec yes", StuckSink()))
    await entered.wait()
    assert scene.lifeline.held()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert not scene.lifeline.held()


async def test_no_file_stays_open_after_a_command(scene: Scene) -> None:
    await scene.run("true")
    before = len(list(OPEN_FILES.iterdir()))
    for script in ("true", "exit 1", "setsid sleep 600 &", "kill -KILL $$"):
        await scene.run(script)
    await scene.executor.execute(scene.command("exec sleep 600", timeout=timedelta()), Recorder(), scene.stop)

    assert len(list(OPEN_FILES.iterdir())) == before


async def test_memory_stays_flat_whatever_the_size_of_the_output(scene: Scene) -> None:
    class DroppingSink:
        count = 0

        async def write(self, data: bytes) -> None:
            self.count += len(data)

    sink = DroppingSink()
    tracemalloc.start()
    await scene.run("head -c 80000000 /dev/zero", sink)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sink.count == 80_000_000
    assert peak < 8_000_000


async def test_a_command_that_closes_its_output_goes_on(scene: Scene) -> None:
    result = await scene.run("exec 9>lifeline; exec >&- 2>&-; echo on >&9; exit 4")

    assert result == Exit(Ending.ENDED, exit_code=4)
    assert not scene.lifeline.held()
    assert scene.lifeline.said == b"on\n"


WORKER = """
import asyncio, pathlib, sys
from datetime import timedelta
from lineshaft.executors.label import label_prefix
from lineshaft.executors.process import ProcessExecutor, launched
from lineshaft.ports.executor import Command

class Sink:
    async def write(self, data): print(data, flush=True)

argv = ("sh", "-c", sys.argv[1])
command = Command(argv, pathlib.Path.cwd(), {"PATH": "/usr/bin:/bin"}, None, timedelta(), sys.argv[2])
print(asyncio.run(ProcessExecutor().execute(command, Sink(), asyncio.Event())))
"""


IGNORING = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-c", *sys.argv[1:]])
"""


def test_exit_codes_are_known_although_the_worker_was_started_with_sigchld_ignored(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", IGNORING, WORKER, "exit 7", "ignoring-worker/1"]

    result = subprocess.run(argv, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)

    assert "exit_code=7" in result.stdout


async def test_what_a_worker_killed_by_sigkill_leaves_is_found_by_its_label(scene: Scene) -> None:
    prefix = label_prefix(scene.folder)
    script = "exec 9>lifeline; echo ready; setsid sleep 600 & exec sleep 600"
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, script, f"{prefix}1", cwd=scene.folder, stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    await worker.stdout.readline()
    worker.kill()
    await worker.wait()
    assert scene.lifeline.held()

    assert await scene.executor.sweep(prefix) >= 1
    assert not scene.lifeline.held()


async def test_a_command_runs_without_a_group_where_none_can_be_made(tmp_path: Path) -> None:
    gone = Hierarchy(tmp_path, tmp_path / "gone", unified=True)
    scene = Scene(ProcessExecutor(replace(this_system(), cgroups=gone)), tmp_path, Lifeline(tmp_path))

    assert await scene.run("exit 3") == Exit(Ending.ENDED, exit_code=3)


@pytest.mark.parametrize("unified", [False, True])
async def test_a_command_runs_without_a_group_that_it_cannot_enter(tmp_path: Path, *, unified: bool) -> None:
    folder = Hierarchy(tmp_path, tmp_path, unified=unified)
    scene = Scene(ProcessExecutor(replace(this_system(), cgroups=folder)), tmp_path, Lifeline(tmp_path))

    assert await scene.run("exit 3") == Exit(Ending.ENDED, exit_code=3)
    assert list(tmp_path.glob("lineshaft-command-*")) == []


if VERSION_2 is not None:

    async def test_a_launcher_that_was_killed_is_started_anew(scene: Scene) -> None:
        scene.executor = ProcessExecutor(replace(this_system(), cgroups=VERSION_2))
        await scene.run("true")
        for child in psutil.Process().children():
            if child.status() != psutil.STATUS_ZOMBIE and launched.__file__ in child.cmdline():
                child.kill()
                child.wait()

        assert await scene.run("exit 3") == Exit(Ending.ENDED, exit_code=3)
