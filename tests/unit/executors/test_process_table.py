"""Looking at processes, and telling children apart."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineshaft.executors.process.children import ChildRegister
from lineshaft.executors.process.portable_table import PortableTable
from lineshaft.executors.process.subreaper import become_subreaper
from lineshaft.executors.process.table import ProcFolder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has /proc")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "LINESHAFT_PROCESS_LABEL": "outer/1 inner/1"}
    with subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True) as process:
        yield process
        process.kill()


def dead(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Wait until it is a zombie, and leave it one."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return process


def test_both_tables_tell_the_same_of_a_process(sleeper: subprocess.Popen[bytes]) -> None:
    tables = ProcFolder(), PortableTable()

    for table in tables:
        row = table.row(sleeper.pid)
        assert row is not None
        assert (row.pid, row.parent, row.group, row.session, row.ended) == (
            sleeper.pid,
            os.getpid(),
            sleeper.pid,
            sleeper.pid,
            False,
        )
        assert table.row(sleeper.pid) == row
        assert row in table.rows()
        assert row in table.trees([sleeper.pid])
        assert sleeper.pid in table.own_children()
        assert table.labels(sleeper.pid) == ["outer/1", "inner/1"]


def test_both_tables_know_a_zombie(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    dead(sleeper)

    for table in (ProcFolder(), PortableTable()):
        row = table.row(sleeper.pid)
        assert row is not None
        assert row.ended


def test_both_tables_know_nothing_of_a_process_that_has_gone() -> None:
    process = subprocess.Popen(["true"])
    process.wait()

    for table in (ProcFolder(), PortableTable()):
        assert table.row(process.pid) is None
        assert table.labels(process.pid) == []
        assert not table.holds_pipe(process.pid, 1)


def test_a_process_may_have_a_name_that_looks_like_the_table(tmp_path: Path) -> None:
    program = tmp_path / ") Z 1 2 3 ("
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "600"]) as process:
        row = ProcFolder().row(process.pid)
        process.kill()

    assert row is not None
    assert row.parent == os.getpid()
    assert not row.ended


def test_the_holder_of_a_pipe_is_known(sleeper: subprocess.Popen[bytes]) -> None:
    with subprocess.Popen(["sleep", "600"], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        inode = os.fstat(holder.stdout.fileno()).st_ino
        assert ProcFolder().holds_pipe(holder.pid, inode)
        assert not ProcFolder().holds_pipe(sleeper.pid, inode)
        holder.kill()


def test_a_child_that_other_code_has_started_is_left_to_it() -> None:
    register = ChildRegister()
    process = dead(subprocess.Popen(["sh", "-c", "exit 3"]))

    for now in (0.0, 1000.0):
        register.strangers(ProcFolder(), now)

    assert process.wait() == 3


def test_a_session_leader_that_other_code_is_about_to_wait_for_is_left_to_it() -> None:
    register = ChildRegister()
    process = dead(subprocess.Popen(["sh", "-c", "exit 3"], start_new_session=True))

    for now in (0.0, 1.0):
        register.strangers(ProcFolder(), now)

    assert process.wait() == 3


def test_the_main_process_of_a_command_is_not_buried_by_another_command() -> None:
    register = ChildRegister()
    process = dead(subprocess.Popen(["sh", "-c", "exit 3"], start_new_session=True))
    register.add(process.pid)

    for now in (0.0, 1000.0):
        register.strangers(ProcFolder(), now)

    assert process.wait() == 3


@pytest.mark.parametrize(
    ("script", "looks"),
    [("sleep 600 >/dev/null & echo $!", 1), ("setsid sh -c 'echo $$; exec sleep 600 >/dev/null' &", 2)],
    ids=["a member of a foreign session at once", "the leader of a session after some time"],
)
def test_a_dead_orphan_is_buried(script: str, looks: int) -> None:
    assert become_subreaper()
    register = ChildRegister()
    shell = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True, check=True)
    orphan = int(shell.stdout)
    os.kill(orphan, signal.SIGKILL)
    os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOWAIT)

    for look in range(looks):
        assert ProcFolder().row(orphan) is not None
        register.strangers(ProcFolder(), now=look * 60.0)

    assert ProcFolder().row(orphan) is None


def test_a_crowd_of_dead_session_leaders_is_buried_at_once() -> None:
    assert become_subreaper()
    register = ChildRegister()
    script = "for n in $(seq 64); do setsid sh -c 'echo $$; exec sleep 600 >/dev/null' & done"
    shell = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True, check=True)
    orphans = [int(pid) for pid in shell.stdout.split()]
    for orphan in orphans:
        os.kill(orphan, signal.SIGKILL)
        os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOWAIT)

    register.strangers(ProcFolder(), now=0.0)

    assert [ProcFolder().row(orphan) for orphan in orphans] == [None] * 64


@pytest.fixture
def restless(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that becomes the same program again and again."""
    script = tmp_path / "restless"
    script.write_text('#!/bin/sh\nexec "$0"\n')
    script.chmod(0o755)
    environment = {**os.environ, "LINESHAFT_PROCESS_LABEL": "outer/1"}
    with subprocess.Popen([script], env=environment, start_new_session=True) as process:
        yield process
        process.kill()


def test_labels_are_seen_while_a_process_becomes_another_program(restless: subprocess.Popen[bytes]) -> None:
    table = ProcFolder()

    assert all(table.labels(restless.pid) == ["outer/1"] for _ in range(3000))


def test_a_process_without_an_environment_has_no_labels() -> None:
    with subprocess.Popen(["sleep", "600"], env={}, executable=shutil.which("sleep")) as process:
        assert ProcFolder().labels(process.pid) == []
        process.kill()


def test_a_zombie_has_no_labels(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()

    assert ProcFolder().labels(dead(sleeper).pid) == []
