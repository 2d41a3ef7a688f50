"""What a task can see and do in its container, as it finds out from inside."""

import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.executors.containers import containers_scene, executor_for
from conformance.executors.witness import Lifeline, Scene
from integration.docker_engine import Engine
from lineshaft.executors.docker import DockerExecutor
from lineshaft.executors.docker.settings import CAPABILITIES, MOST_PROCESSES
from lineshaft.ports.executor import Ending, Exit

# Their numbers are those of capabilities(7).
NUMBERS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "NET_BIND_SERVICE": 10,
}
MEBIBYTE = 1024 * 1024


@pytest.fixture
async def scene(docker_engine: Engine, tmp_path: Path) -> AsyncIterator[Scene]:
    lifeline = Lifeline(tmp_path)
    async with containers_scene(docker_engine, tmp_path, lifeline) as scene:
        yield scene
    lifeline.close()


def with_container(scene: Scene, **changes: Any) -> None:
    assert scene.container is not None
    scene.container = replace(scene.container, **changes)


async def told(scene: Scene, script: str) -> str:
    """Run a script that succeeds, and return what it prints."""
    result = await scene.run(script)
    text = scene.output.data.decode()
    assert result == Exit(Ending.ENDED, exit_code=0), text
    return text


async def status_of(scene: Scene) -> dict[str, str]:
    lines = (await told(scene, "cat /proc/self/status")).splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_root_has_the_documented_capabilities_and_no_other(scene: Scene) -> None:
    status = await status_of(scene)

    mask = sum(1 << NUMBERS[name] for name in CAPABILITIES)
    assert {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {mask}


async def test_nobody_gains_rights_by_starting_a_program(scene: Scene) -> None:
    assert (await status_of(scene))["NoNewPrivs"] == "1"


async def test_system_calls_are_filtered(scene: Scene) -> None:
    assert (await status_of(scene))["Seccomp"] == "2"


async def test_no_device_of_the_machine_is_there_and_none_can_be_made(scene: Scene) -> None:
    devices = await told(scene, "ls /dev; ! mknod disk b 8 0 2>/dev/null")

    harmless = {"console", "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm"}
    assert set(devices.split()) <= harmless | {"stderr", "stdin", "stdout", "tty", "urandom", "zero"}


async def test_namespaces_are_not_those_of_the_machine(scene: Scene) -> None:
    kinds = ("ipc", "mnt", "net", "pid", "uts")
    seen = await told(scene, " && ".join(f"readlink /proc/self/ns/{kind}" for kind in kinds))

    assert not set(seen.split()) & {str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in kinds}


async def test_a_task_sees_no_processes_but_its_own(scene: Scene) -> None:
    seen = await told(scene, "ls /proc | grep -c '^[0-9]'")

    # The first process, the shell, `ls` and `grep`.
    assert int(seen) <= 4


async def test_nothing_of_the_machine_is_there_but_what_is_mounted(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    beside = tmp_path_factory.mktemp("beside") / "key"
    beside.write_text("secret")

    await told(scene, f"! test -e {beside} && ! test -e /var/run/docker.sock && ! test -e {Path(__file__)}")


async def test_a_mount_that_is_not_writable_cannot_be_written_to_even_by_root(scene: Scene) -> None:
    await told(scene, "! touch /usr/trace 2>/dev/null && ! mount -o remount,rw /usr 2>/dev/null")


async def test_the_temporary_folder_is_in_memory_open_to_all_and_can_hold_programs(scene: Scene) -> None:
    script = (
        "printf '#!/bin/sh\necho ran' >/tmp/program; chmod +x /tmp/program; /tmp/program; stat -c %a /tmp"
    )
    seen = await told(scene, f"{script}; grep -c '^tmpfs /tmp tmpfs' /proc/mounts")

    assert seen.split() == ["ran", "1777", "1"]


async def test_what_is_written_to_the_temporary_folder_counts_as_memory(scene: Scene) -> None:
    with_container(scene, memory_bytes=64 * MEBIBYTE)

    result = await scene.run("head -c 100000000 /dev/zero >/tmp/large")

    assert isinstance(result, Exit)
    assert result.shell_code != 0


async def test_with_a_read_only_root_only_the_workspace_and_the_temporary_folder_are_written(
    scene: Scene,
) -> None:
    with_container(scene, read_only=True)

    await told(scene, "touch here /tmp/there && ! touch /elsewhere 2>/dev/null")
    assert (scene.folder / "here").exists()


async def test_without_that_the_root_may_be_written_and_nothing_of_it_is_kept(scene: Scene) -> None:
    await told(scene, "touch /elsewhere")
    await told(scene, "! test -e /elsewhere")


async def test_files_in_the_workspace_belong_to_the_user_of_the_worker(scene: Scene) -> None:
    await told(scene, "mkdir folder; touch folder/file")

    made = (scene.folder / "folder" / "file").stat()
    assert (made.st_uid, made.st_gid) == (os.geteuid(), os.getegid())


async def test_a_user_whom_the_image_does_not_know_has_a_home_that_can_be_written(
    scene: Scene, docker_engine: Engine
) -> None:
    scene.executor = executor_for(docker_engine.address, scene.folder, user="4321:4321")
    scene.folder.chmod(0o777)

    seen = await told(scene, "touch ~/file mine && id -u && id -g && echo $HOME")

    assert seen.split() == ["4321", "4321", "/tmp"]  # noqa: S108 - in the container.
    assert (scene.folder / "mine").stat().st_uid == 4321
    await close(scene)


async def test_a_user_other_than_root_has_no_capability(scene: Scene, docker_engine: Engine) -> None:
    scene.executor = executor_for(docker_engine.address, scene.folder, user="4321:4321")
    scene.folder.chmod(0o755)

    assert int((await status_of(scene))["CapEff"], 16) == 0
    await close(scene)


async def test_a_container_has_as_many_processors_as_it_is_given(scene: Scene) -> None:
    with_container(scene, cpus=0.5)
    version_1 = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"

    quota, period = (await told(scene, f"cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat {version_1}")).split()

    assert int(quota) / int(period) == 0.5


async def test_a_container_that_asks_for_more_processors_than_there_are_has_all_of_them(scene: Scene) -> None:
    with_container(scene, cpus=100_000)

    await told(scene, "true")


async def test_a_container_has_as_much_memory_as_it_is_given_and_no_swap(scene: Scene) -> None:
    with_container(scene, memory_bytes=64 * MEBIBYTE)
    version_1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes"

    limit = await told(scene, f"cat /sys/fs/cgroup/memory.max 2>/dev/null || cat {version_1}")

    assert int(limit) == 64 * MEBIBYTE


async def test_a_command_whose_memory_runs_out_is_said_to_have_run_out_of_it(scene: Scene) -> None:
    with_container(scene, memory_bytes=32 * MEBIBYTE)

    result = await scene.run("exec tail /dev/zero")

    assert result == Exit(Ending.ENDED, signal=9, out_of_memory=True)


async def test_a_command_that_survives_its_child_is_said_to_have_run_out_of_memory_too(scene: Scene) -> None:
    with_container(scene, memory_bytes=32 * MEBIBYTE)

    result = await scene.run("tail /dev/zero; exit 5")

    assert result == Exit(Ending.ENDED, exit_code=5, out_of_memory=True)


async def test_processes_are_counted(scene: Scene) -> None:
    version_1 = "/sys/fs/cgroup/pids/pids.max"

    limit = await told(scene, f"cat /sys/fs/cgroup/pids.max 2>/dev/null || cat {version_1}")

    assert int(limit) == MOST_PROCESSES


async def test_a_fork_bomb_is_bounded_and_goes_with_its_container(
    scene: Scene, docker_engine: Engine
) -> None:
    scene.executor = executor_for(docker_engine.address, scene.folder, most_processes=20)
    bomb = (
        "exec 9>lifeline; for n in 1 2 3 4 5 6 7 8 9 0; do (sleep 600 & sleep 600 & sleep 600 &) & done; wait"
    )

    await scene.run(bomb)

    assert b"fork" in scene.output.data.lower()
    assert not scene.lifeline.held()
    await close(scene)


async def test_the_first_process_cannot_be_spoken_for(scene: Scene) -> None:
    result = await scene.run("echo 'exited 0 0 0' >/proc/1/fd/2; cat /proc/1/environ; exit 4")

    assert result == Exit(Ending.ENDED, exit_code=4)
    assert scene.output.data.count(b"Permission denied") == 2


async def test_the_program_of_the_first_process_does_nothing_where_it_is_not_the_first(scene: Scene) -> None:
    result = await scene.run("/.lineshaft-first mark / touch trace")

    assert result == Exit(Ending.ENDED, exit_code=125)
    assert scene.output.data == b"not-first\n"
    assert not (scene.folder / "trace").exists()


async def test_what_listens_on_the_loopback_of_the_machine_is_out_of_reach(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"

        await scene.run(f'python3 -c "{script}" 2>&1 | tail -n 1')

    assert b"refused" in scene.output.data.lower()


async def close(scene: Scene) -> None:
    assert isinstance(scene.executor, DockerExecutor)
    await scene.executor.close()
