"""A task in a sandbox has its workspace and its files, and nothing else of the worker's.

Where this machine can have no sandbox, this file is not collected.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.executors.sandboxes import SANDBOXES
from git_server import Origin
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.sandbox import find_sandbox
from lineshaft.executors.settings import SandboxChoice
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from lineshaft.server.settings import ServerSettings
from lineshaft.worker.isolation import sandboxed
from lineshaft.worker.plan import WorkerPlan
from lineshaft.worker.settings import WorkerSettings
from worker_tasks import Bench, bench


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Bench]:
    sandbox = replace(SANDBOXES[0], hidden=(tmp_path,))
    async with bench(tmp_path, executor=ProcessExecutor(sandbox=sandbox)) as opened:
        yield opened


async def test_a_task_works_with_its_repository(worker: Bench, tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    commit = origin.commit("hello")

    outcome = await worker.run(
        "cat file; echo; git rev-parse HEAD; git status --short; echo more >>file; "
        "git -c user.name=A -c user.email=a@b commit -qam more; git log --format=%s",
        repository=str(origin.bare),
    )

    assert outcome.state is State.SUCCEEDED
    assert worker.log.text.split() == ["hello", commit, "more", "hello"]


async def test_a_task_hands_over_its_outputs_and_its_secrets(worker: Bench) -> None:
    outcome = await worker.run(
        'echo a=1 >>"$LINESHAFT_OUTPUT"; echo made-at-run-time >>"$LINESHAFT_MASK"; echo made-at-run-time',
        outputs=("a",),
    )

    assert outcome == Outcome(State.SUCCEEDED, exit_code=0, outputs={"a": "1"})
    assert worker.log.text == "***\n"
    assert worker.left_behind() == []


async def test_a_task_sees_no_other_workspace_no_mirror_and_no_file_of_the_workers(
    worker: Bench, tmp_path: Path
) -> None:
    (tmp_path / "secrets.key").write_text("sealed")
    (tmp_path / "workspaces" / "another").mkdir()

    await worker.run(f'ls -A {tmp_path} {tmp_path}/workspaces; echo "$LINESHAFT_WORKSPACE"')

    listing, _, rest = worker.log.text.partition(f"\n\n{tmp_path}/workspaces:\n")
    assert listing.split() == [f"{tmp_path}:", "handovers", "workspaces"]
    assert rest.split() == ["1", str(tmp_path / "workspaces" / "1")]


@pytest.mark.parametrize("choice", [SandboxChoice.AUTO, SandboxChoice.BWRAP])
async def test_a_sandbox_is_taken_where_there_can_be_one(choice: SandboxChoice, tmp_path: Path) -> None:
    executor = await sandboxed(
        choice, tmp_path, [tmp_path], "trial/1", environment={"PATH": os.environ["PATH"]}, docker_host=None
    )
    (tmp_path / "secret").write_text("sealed")

    async with bench(tmp_path, executor=executor) as worker:
        await worker.run(f"cat {tmp_path}/secret")

    assert "No such file" in worker.log.text


def test_what_the_settings_name_is_hidden(tmp_path: Path) -> None:
    worker = WorkerSettings.load(
        config=None, data=tmp_path / "a", key_file=tmp_path / "key", workspace_root=tmp_path / "b"
    )
    server = ServerSettings.load(
        data=tmp_path / "a", worker_keys_file=tmp_path / "keys", database_url=f"sqlite:///{tmp_path}/x.db"
    )

    assert {tmp_path / name for name in ("a", "key", "b")} <= set(WorkerPlan.of("w", worker).private)
    assert {tmp_path / name for name in ("a", "keys", "x.db", "x.db-wal")} <= set(
        WorkerPlan.of("w", server).private
    )


def test_the_configuration_file_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    assert file in WorkerSettings.load(config=file).private_paths()

    monkeypatch.setenv("LINESHAFT_CONFIG", str(file))
    assert file in WorkerSettings.load().private_paths()


@pytest.fixture
def without_bwrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_sandbox([]) is None
    return tmp_path


async def test_without_a_sandbox_tasks_run_and_what_is_not_held_off_is_told(
    without_bwrap: Path, caplog: pytest.LogCaptureFixture
) -> None:
    executor = await sandboxed(
        SandboxChoice.AUTO, without_bwrap, [without_bwrap], "trial/1", environment={}, docker_host=None
    )
    (without_bwrap / "beside").write_text("seen")

    async with bench(without_bwrap, executor=executor, environment={"PATH": "/usr/bin:/bin"}) as worker:
        outcome = await worker.run(f"cat {without_bwrap}/beside")

    assert (outcome.state, worker.log.text) == (State.SUCCEEDED, "seen")
    assert "other workspaces" in caplog.text


async def test_a_worker_that_insists_on_a_sandbox_does_not_start_without(without_bwrap: Path) -> None:
    with pytest.raises(ConfigurationError, match="not installed"):
        await sandboxed(
            SandboxChoice.BWRAP, without_bwrap, [without_bwrap], "trial/1", environment={}, docker_host=None
        )


async def test_a_bwrap_that_may_make_no_namespaces_is_told_as_well(
    without_bwrap: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = without_bwrap / "bwrap"
    program.write_text("#!/bin/sh\necho bwrap: No permissions to create a new namespace >&2\nexit 1\n")
    program.chmod(0o755)

    await sandboxed(
        SandboxChoice.AUTO, without_bwrap, [without_bwrap], "trial/1", environment={}, docker_host=None
    )

    assert "No permissions to create a new namespace" in caplog.text
