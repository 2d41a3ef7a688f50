"""kill -9 of `lineshaft up` between what starts a pipeline and the run that starts."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from git_server import Origin
from http_pipelines import events, start_of
from server_process import ServerProcess, server_process

YAML = {"Content-Type": "application/yaml"}
TASK = "steps: [{name: a, shell: sh, run: 'echo $LINESHAFT_RUN_ID > FIFO'}]\n"


@contextmanager
def up(data: Path, **variables: str) -> Iterator[tuple[ServerProcess, httpx2.Client]]:
    # Nobody takes away what a task writes to, and a task of a server that is gone is begun anew soon.
    settings = {"LINESHAFT_LEASE_SECONDS": "3600", "LINESHAFT_SANDBOX": "none", **variables}
    with server_process(data, **settings) as server:
        address = server.address()
        with httpx2.Client(base_url=address, auth=("admin", "admin"), timeout=60) as api:
            yield server, api


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def create(api: httpx2.Client, text: str) -> str:
    answer = api.post("/v1/pipelines", content=text.encode(), headers=YAML)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def runs(api: httpx2.Client, pipeline_id: str) -> list[dict[str, object]]:
    return list(api.get(f"/v1/pipelines/{pipeline_id}/runs").json()["items"])


def test_what_follows_a_run_starts_once_when_the_server_was_killed_at_its_end(
    tmp_path: Path, fifo: Path
) -> None:
    with up(tmp_path / "data") as (server, api):
        build = create(api, 'name: build\ncallable_by: "*"\nsteps: [{name: a, run: "true"}]\n')
        test = create(api, f"name: test\non: {{upstream: [build]}}\n{TASK.replace('FIFO', str(fifo))}")
        for event in events(api, f"/v1/runs/{start_of(api, build)['id']}/events"):
            last = event.event
        assert last == "end"
        server.stop(signal.SIGKILL)

    with up(tmp_path / "data") as (_, api):
        # Opening it waits for the task that writes to it.
        fifo.read_text()
        assert len(runs(api, test)) == 1


def test_a_push_that_a_poll_finds_starts_its_run_once_when_the_server_was_killed(
    tmp_path: Path, fifo: Path
) -> None:
    origin = Origin(tmp_path)
    text = f"on: {{poll: 10s}}\n{TASK.replace('FIFO', str(fifo))}"
    origin.commit_files({"lineshaft.yml": text})
    kept = {"name": "shop", "repository": str(origin.bare), "config_path": "lineshaft.yml"}
    roots = {"LINESHAFT_GIT_ROOTS": str(tmp_path)}
    with up(tmp_path / "data", **roots) as (server, api):
        answer = api.post("/v1/pipelines", json=kept)
        assert answer.status_code == 201, answer.text
        shop = answer.json()["id"]
        server.line_with("looked at for the first time")
        commit = origin.commit_files({"new": "1"})
        api.post(f"/v1/pipelines/{shop}/poll")
        server.stop(signal.SIGKILL)

    with up(tmp_path / "data", **roots) as (_, api):
        # The look that was cut off is nobody else's for some minutes, unless somebody wants one now.
        api.post(f"/v1/pipelines/{shop}/poll")
        fifo.read_text()
        (run,) = runs(api, shop)
        source = run["source"]
        assert isinstance(source, dict)
        assert source["commit"] == commit
