"""kill -9 of `lineshaft up` between what starts a pipeline and the run that starts."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from git_server import Origin
from http_pipelines import events, start_of
from server_process import ServerProcess, server_process

YAML = {"Content-Type": "application/yaml"}
TASK = "steps: [{name: a, shell: sh, run: 'echo $LINESHAFT_RUN_ID > FIFO'}]\n"


@contextmanager
def up(data: Path, git_roots: Path) -> Iterator[tuple[ServerProcess, httpx2.Client]]:
    # In a sandbox nobody else sees what a task writes to.
    with server_process(
        data, LINESHAFT_GIT_ROOTS=str(git_roots), LINESHAFT_LEASE_SECONDS="3600", LINESHAFT_SANDBOX="none"
    ) as server:
        address = server.address()
        with httpx2.Client(base_url=address, auth=("admin", "admin"), timeout=60) as api:
            yield server, api


@dataclass(frozen=True)
class Pipe:
    """Where tasks say that they have begun; no task waits for the other end.

    Attributes:
        path: which tasks write to.
        descriptor: open for both ends.
    """

    path: Path
    descriptor: int

    def wait(self) -> None:
        """Wait until one has."""
        assert os.read(self.descriptor, 1_000)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    yield Pipe(path, descriptor)
    os.close(descriptor)


def create(api: httpx2.Client, text: str) -> str:
    answer = api.post("/v1/pipelines", content=text.encode(), headers=YAML)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def runs(api: httpx2.Client, pipeline_id: str) -> list[dict[str, object]]:
    return list(api.get(f"/v1/pipelines/{pipeline_id}/runs").json()["items"])


def test_what_follows_a_run_starts_once_when_the_server_was_killed_at_its_end(
    tmp_path: Path, pipe: Pipe
) -> None:
    with up(tmp_path / "data", tmp_path) as (server, api):
        build = create(api, 'name: build\ncallable_by: "*"\nsteps: [{name: a, run: "true"}]\n')
        test = create(api, f"name: test\non: {{upstream: [build]}}\n{TASK.replace('FIFO', str(pipe.path))}")
        run = start_of(api, build)
        assert [event.event for event in events(api, f"/v1/runs/{run['id']}/events")][-1] == "end"
        server.stop(signal.SIGKILL)

    with up(tmp_path / "data", tmp_path) as (_, api):
        pipe.wait()
        assert len(runs(api, test)) == 1


def test_a_push_that_a_poll_finds_starts_its_run_once_when_the_server_was_killed(
    tmp_path: Path, pipe: Pipe
) -> None:
    origin = Origin(tmp_path)
    text = f"on: {{poll: 10s}}\n{TASK.replace('FIFO', str(pipe.path))}"
    origin.commit_files({"lineshaft.yml": text})
    kept = {"name": "shop", "repository": str(origin.bare), "config_path": "lineshaft.yml"}
    with up(tmp_path / "data", tmp_path) as (server, api):
        answer = api.post("/v1/pipelines", json=kept)
        assert answer.status_code == 201, answer.text
        shop = answer.json()["id"]
        server.line_with("looked at for the first time")
        commit = origin.commit_files({"new": "1"})
        api.post(f"/v1/pipelines/{shop}/poll")
        server.stop(signal.SIGKILL)

    with up(tmp_path / "data", tmp_path) as (_, api):
        # The look that was cut off is nobody else's for some minutes, unless somebody wants one now.
        api.post(f"/v1/pipelines/{shop}/poll")
        pipe.wait()
        (run,) = runs(api, shop)
        source = run["source"]
        assert isinstance(source, dict)
        assert source["commit"] == commit
