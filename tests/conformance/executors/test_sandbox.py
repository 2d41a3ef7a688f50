"""What a sandbox hides, and what it leaves.

Where this machine can have none, this file is not collected (see `sandboxes`).
"""

import asyncio
import os
import signal
import socket
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from conformance.executors.sandboxes import SANDBOXES
from conformance.executors.witness import LONG, Lifeline, Recorder, Scene
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.sandbox import Sandbox, find_sandbox, why_unusable
from lineshaft.ports.executor import Command, Ending, Exit, NotStarted

SANDBOX = SANDBOXES[0]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A worker's data folder, with its key, another workspace, and one that is lent to the command."""
    folder = tmp_path / "data"
    for name in ("own", "other", "objects"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text(name)
    (folder / "secrets.key").write_text("sealed")
    (tmp_path / "worker.key").write_text("key")
    return folder


@pytest.fixture
def executor(data: Path) -> ProcessExecutor:
    hidden = (data, data.parent / "worker.key", data.parent / "not-there")
    return ProcessExecutor(sandbox=replace(SANDBOX, hidden=hidden))


async def said(executor: ProcessExecutor, data: Path, script: str) -> str:
    output = Recorder()
    command = Command(
        ("sh", "-c", script),
        data / "own",
        {"PATH": os.environ["PATH"], "DATA": str(data)},
        LONG,
        timedelta(),
        f"{os.getpid()}/sandbox/1",
        writable=(data / "own",),
        readable=(data / "objects",),
    )
    result = await executor.execute(command, output, asyncio.Event())
    assert isinstance(result, Exit), result
    return output.data.decode()


async def test_of_the_hidden_folder_nothing_is_there_but_what_was_lent(
    executor: ProcessExecutor, data: Path
) -> None:
    assert await said(executor, data, 'cd "$DATA"; find . | sort') == (
        ".\n./objects\n./objects/file\n./own\n./own/file\n"
    )


async def test_a_hidden_file_cannot_be_opened(executor: ProcessExecutor, data: Path) -> None:
    text = await said(executor, data, 'cat "$DATA/../worker.key"; cp "$DATA/../worker.key" copy; cat copy')

    assert text.count("Permission denied") == 2
    assert not (data / "own" / "copy").exists()


async def test_what_is_written_to_the_own_folder_is_there_afterwards(
    executor: ProcessExecutor, data: Path
) -> None:
    await said(executor, data, "echo mine >file; mkdir new")

    assert (data / "own" / "file").read_text() == "mine\n"
    assert (data / "own" / "new").is_dir()


@pytest.mark.parametrize("place", ["objects/file", "objects/new", "other/file", "new", "../worker.key"])
async def test_nothing_else_below_the_hidden_folder_can_be_written(
    executor: ProcessExecutor, data: Path, place: str
) -> None:
    before = {path: path.read_bytes() for path in data.parent.rglob("*") if path.is_file()}

    await said(executor, data, f'mkdir -p "$DATA/other"; echo evil >"$DATA/{place}"')

    assert {path: path.read_bytes() for path in data.parent.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "script",
    [
        'umount "$DATA"',
        'umount -l "$DATA"; umount "$DATA/../worker.key"',
        'unshare -m umount "$DATA"',
        'unshare -Urm umount "$DATA"',
        'mount --bind "$DATA/.." "$DATA/own"; ls "$DATA/own/data"',
        'mv "$DATA" "$DATA-away"',
        'chroot /proc/1/root sh -c "cat $DATA/secrets.key"',
        'for n in /proc/[0-9]*; do cat "$n/root$DATA/secrets.key" "$n/cwd$DATA/secrets.key"; done',
    ],
)
async def test_what_is_hidden_cannot_be_uncovered(executor: ProcessExecutor, data: Path, script: str) -> None:
    text = await said(
        executor, data, f'{script}; cat "$DATA/secrets.key" "$DATA/other/file"; cat <"$DATA/../worker.key"'
    )

    assert "sealed" not in text
    assert "\nkey" not in f"\n{text}"


async def test_the_worker_and_other_tasks_are_not_among_the_processes(
    executor: ProcessExecutor, data: Path
) -> None:
    script = (
        "for n in /proc/[0-9]*; do tr '\\0' ' ' <$n/cmdline; echo; done; kill -0 $WORKER && touch reached"
    )
    text = await said(executor, data, script.replace("$WORKER", str(os.getpid())))

    assert "pytest" not in text
    assert "bwrap" not in text
    assert not (data / "own" / "reached").exists()


async def test_no_program_has_more_rights_than_the_one_that_starts_it(
    executor: ProcessExecutor, data: Path
) -> None:
    assert await said(executor, data, "grep NoNewPrivs /proc/self/status") == "NoNewPrivs:\t1\n"


async def test_the_system_itself_cannot_be_changed_through_its_files(
    executor: ProcessExecutor, data: Path
) -> None:
    for path in ("/proc/sys/kernel/core_pattern", "/sys/kernel/profiling"):
        await said(executor, data, f"test ! -e {path} || (: >>{path}) && touch opened")
        assert not Path(path).exists() or not (data / "own" / "opened").exists()
        (data / "own" / "opened").unlink(missing_ok=True)


async def test_the_socket_of_a_container_engine_leads_nowhere(data: Path) -> None:
    path = data.parent / "engine.sock"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
        engine.listen()
        sandbox = find_sandbox([data], {}, [path])
        assert sandbox is not None
        script = "test -S ../../engine.sock && echo a socket; test -c ../../engine.sock && echo nothing"
        assert await said(ProcessExecutor(sandbox=sandbox), data, script) == "nothing\n"


async def test_all_other_files_are_those_of_the_machine(executor: ProcessExecutor, data: Path) -> None:
    (data.parent / "beside").write_text("seen\n")

    text = await said(executor, data, "cat ../../beside; echo changed >../../beside; ls -d /etc/passwd")

    assert text == "seen\n/etc/passwd\n"
    assert (data.parent / "beside").read_text() == "changed\n"


async def test_a_command_has_no_open_file_but_the_standard_ones(
    executor: ProcessExecutor, data: Path
) -> None:
    # The fourth is the folder itself, as it is being listed.
    assert await said(executor, data, "exec ls /proc/self/fd") == "0\n1\n2\n3\n"


async def test_a_sandbox_that_cannot_be_made_is_told_and_the_command_does_not_begin(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho no namespaces here >&2\nexit 1\n")
    program.chmod(0o755)
    executor = ProcessExecutor(sandbox=Sandbox(program))
    lifeline = Lifeline(tmp_path)
    scene = Scene(executor, tmp_path, lifeline)

    result = await scene.run("touch trace")

    lifeline.close()
    assert isinstance(result, NotStarted)
    assert "`sandbox`" in result.text
    assert scene.output.data == b"no namespaces here\n"
    assert not (tmp_path / "trace").exists()
    assert await why_unusable(executor, tmp_path, "trial/1") == "no namespaces here"


async def test_a_sandbox_that_cannot_be_made_at_once_is_made_again_and_the_command_begins_once(
    data: Path,
) -> None:
    # As bwrap does it when a container's mount has gone while it goes through them.
    program = data.parent / "bwrap"
    program.write_text(
        f"#!/bin/sh\nmkdir {data}/once 2>/dev/null && echo no such mount >&2 && exit 1\n"
        f'exec {SANDBOX.program} "$@"\n'
    )
    program.chmod(0o755)

    executor = ProcessExecutor(sandbox=replace(SANDBOX, program=program, hidden=(data,)))

    assert await said(executor, data, "echo begun; echo begun >>file") == "begun\n"
    assert (data / "once").is_dir()
    assert (data / "own" / "file").read_text() == "ownbegun\n"


async def test_a_program_that_hides_nothing_is_found_out(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text('#!/bin/sh\nwhile test "$1" != --; do shift; done; shift; exec "$@"\n')
    program.chmod(0o755)

    assert await why_unusable(ProcessExecutor(sandbox=Sandbox(program)), tmp_path, "trial/1") is not None


async def test_the_end_of_the_first_process_is_the_end_of_the_command(
    executor: ProcessExecutor, data: Path
) -> None:
    # As the system does it when there is no memory left.
    lifeline = Lifeline(data / "own")
    scene = Scene(executor, data / "own", lifeline)
    command = replace(scene.command("exec 9>lifeline; echo ready; exec sleep 600"), writable=(data / "own",))
    running = await scene.begin(command)
    assert lifeline.held()
    os.kill(_first_process(), signal.SIGKILL)

    assert await running == Exit(Ending.ENDED, signal=signal.SIGKILL)
    assert not lifeline.held()
    lifeline.close()


def _first_process() -> int:
    """Find the one whose parent is a bwrap that this process has started."""
    me = os.getpid()
    children = Path(f"/proc/{me}/task/{me}/children").read_text().split()
    [bwrap] = [pid for pid in children if Path(f"/proc/{pid}/comm").read_text() == "bwrap\n"]
    return int(Path(f"/proc/{bwrap}/task/{bwrap}/children").read_text())


# A worker of its own process that runs one command in a sandbox.
WORKER = """
import asyncio, pathlib, sys
from datetime import timedelta
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.sandbox import find_sandbox
from lineshaft.ports.executor import Command

class Sink:
    async def write(self, data): print(data.decode(), flush=True)

command = Command(
    ("sh", "-c", sys.argv[1]), pathlib.Path.cwd(), {"PATH": "/usr/bin:/bin"}, None, timedelta(), "killed/1"
)
asyncio.run(ProcessExecutor(sandbox=find_sandbox([])).execute(command, Sink(), asyncio.Event()))
"""


async def test_what_runs_in_a_sandbox_ends_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lifeline")
    held = os.open(tmp_path / "lifeline", os.O_RDONLY | os.O_NONBLOCK)
    script = "exec 9>lifeline; (setsid env -i /bin/sleep 600 >/dev/null 2>&1 &) ; echo ready; exec sleep 600"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, script, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.kill()
    await process.wait()

    os.set_blocking(held, True)
    assert await asyncio.to_thread(os.read, held, 1) == b""
    os.close(held)
