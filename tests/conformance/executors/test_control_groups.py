"""Nothing leaves the control group of its command, and no group outlives its command.

There is a case for each version of control groups that this machine has (see `control_groups`). Where it has
none that this user may use, this file is not collected.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.executors.control_groups import COUNTING, HIERARCHIES
from conformance.executors.witness import BRIEF, Lifeline, Scene
from lineshaft.executors.label import label_prefix
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.hierarchy import Hierarchy
from lineshaft.executors.process.system import this_system
from lineshaft.ports.executor import Ending, Exit

# It cleans its environment, begins a session, closes the output and loses its parents.
ESCAPE = """exec 9>lifeline; mkfifo go
(setsid env -i /bin/sh -c 'exec >/dev/null 2>&1; echo here >&9; echo >go; exec /bin/sleep 600' &) &
read nothing <go; echo ready; """


@pytest.fixture(params=HIERARCHIES)
def hierarchy(request: pytest.FixtureRequest) -> Hierarchy:
    return HIERARCHIES[request.param]


def executor_in(hierarchy: Hierarchy) -> ProcessExecutor:
    return ProcessExecutor(replace(this_system(), cgroups=hierarchy))


@pytest.fixture
async def scene(hierarchy: Hierarchy, tmp_path: Path) -> AsyncIterator[Scene]:
    lifeline = Lifeline(tmp_path)
    yield Scene(executor_in(hierarchy), tmp_path, lifeline)
    lifeline.close()


async def test_who_hides_in_every_other_way_is_killed_at_the_end_of_the_command(scene: Scene) -> None:
    assert await scene.run(ESCAPE) == Exit(Ending.ENDED, exit_code=0)
    assert not scene.lifeline.held()
    assert scene.lifeline.said == b"here\n"


async def test_who_hides_in_every_other_way_is_killed_when_the_command_is_stopped(scene: Scene) -> None:
    running = await scene.begin(scene.command(f"{ESCAPE} exec sleep 600", grace=BRIEF))
    assert scene.lifeline.held()
    scene.stop.set()

    await running
    assert not scene.lifeline.held()


async def test_who_hides_in_every_other_way_is_killed_when_the_caller_is_cancelled(scene: Scene) -> None:
    running = await scene.begin(f"{ESCAPE} exec sleep 600")
    assert scene.lifeline.held()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert not scene.lifeline.held()


@pytest.mark.parametrize("script", ["true", "kill -KILL $$", "(setsid sleep 600 &) &", ESCAPE])
async def test_the_group_is_there_while_the_command_runs_and_not_longer(
    scene: Scene, hierarchy: Hierarchy, script: str
) -> None:
    command = scene.command(f"echo ready; read go <&9; {script}", label="removed/1")
    script = f"mkfifo gate; exec 9<>gate; {command.argv[2]}"
    running = await scene.begin(replace(command, argv=("sh", "-c", script)))
    [cgroup] = hierarchy.leftovers(command.label)
    members = (cgroup.path / "cgroup.procs").read_text().split()
    assert members
    (scene.folder / "gate").write_text("go\n")

    await running
    assert hierarchy.leftovers(command.label) == []


async def test_a_command_that_does_not_start_leaves_no_group(scene: Scene, hierarchy: Hierarchy) -> None:
    command = replace(scene.command("", label="nothing/1"), argv=("no-such-program",))

    await scene.run(command)

    assert hierarchy.leftovers(command.label) == []


async def test_a_command_has_no_open_file_but_the_standard_ones(scene: Scene) -> None:
    # The fourth is the folder itself, as it is being listed.
    await scene.run("exec ls /proc/self/fd")

    assert scene.output.data == b"0\n1\n2\n3\n"


BOMB = """
import os, signal
try:
    for n in range(60):
        if os.fork() == 0:
            signal.pause()
except BlockingIOError:
    print("bounded at", n, flush=True)
"""


# Where nothing counts, a bomb is not bounded, but killed as all that forks without end: see `test_survivors`.
if COUNTING:

    @pytest.mark.parametrize("hierarchy", COUNTING.values(), ids=list(COUNTING))
    async def test_a_fork_bomb_is_bounded_where_processes_are_counted(
        hierarchy: Hierarchy, scene: Scene
    ) -> None:
        scene.executor = executor_in(replace(hierarchy, most_processes=20))
        (scene.folder / "bomb.py").write_text(BOMB)

        await scene.run(f"{sys.executable} bomb.py")

        assert scene.output.data.startswith(b"bounded at 1")


# A worker of its own process that runs one command, whose label and script it is given.
WORKER = """
import asyncio, dataclasses, pathlib, sys
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.hierarchy import find_hierarchy
from lineshaft.executors.process.system import this_system
from lineshaft.ports.executor import Command
from datetime import timedelta

class Sink:
    async def write(self, data): print(data.decode(), flush=True)

version, label, script = sys.argv[1:]
system = dataclasses.replace(this_system(), cgroups=find_hierarchy(unified=version == "2"))
command = Command(
    ("sh", "-c", script), pathlib.Path.cwd(), {"PATH": "/usr/bin:/bin"}, None, timedelta(), label
)
asyncio.run(ProcessExecutor(system).execute(command, Sink(), asyncio.Event()))
"""


def worker(hierarchy: Hierarchy, label: str) -> list[str]:
    return ["worker.py", "2" if hierarchy.unified else "1", label, f"{ESCAPE} exec sleep 600"]


async def test_who_hides_from_a_worker_that_is_killed_is_swept_away(
    scene: Scene, hierarchy: Hierarchy
) -> None:
    prefix = label_prefix(scene.folder)
    (scene.folder / "worker.py").write_text(WORKER)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *worker(hierarchy, f"{prefix}1"), cwd=scene.folder, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.kill()
    await process.wait()
    assert scene.lifeline.held()

    assert await scene.executor.sweep(prefix) >= 1
    assert not scene.lifeline.held()
    assert hierarchy.leftovers(prefix) == []


async def test_who_hides_from_a_worker_within_a_command_is_killed_with_the_command(
    scene: Scene, hierarchy: Hierarchy
) -> None:
    (scene.folder / "worker.py").write_text(WORKER)
    command = scene.command("", label="outer/1", grace=BRIEF)
    label = f"{command.label}/inner"
    running = await scene.begin(
        replace(command, argv=(sys.executable, *worker(hierarchy, label)), env={"PATH": "/usr/bin:/bin"})
    )
    [inner] = hierarchy.leftovers(label)
    [outer] = [cgroup for cgroup in hierarchy.leftovers(command.label) if cgroup.path != inner.path]
    assert inner.path.parent == outer.path
    scene.stop.set()

    await running
    assert not scene.lifeline.held()
    assert hierarchy.leftovers(command.label) == []
