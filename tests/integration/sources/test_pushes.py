"""Pushes to a bare repository, whose hook tells a server that runs as a process of its own."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from forge_hook import install_hook, push_payload, signed
from git_server import Origin
from http_pipelines import finish
from server_process import ServerProcess, server_process

SECRET = "secret-of-the-webhooks"
BEGUN = "Scheduling pipeline stages"


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    folder = tmp_path / "git"
    folder.mkdir()
    return Origin(folder)


@contextmanager
def up(data: Path, origin: Origin, path: str = "") -> Iterator[tuple[ServerProcess, httpx2.Client]]:
    """Start `lineshaft up`, which may read the repository's folder."""
    roots = str(origin.bare.parent)
    with (
        server_process(data, LINESHAFT_GIT_ROOTS=roots, PATH=f"{path}{os.environ['PATH']}") as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=60) as api,
    ):
        yield server, api


def connect(api: httpx2.Client) -> None:
    """Let webhooks in that are signed with SECRET."""
    assert api.put("/v1/secrets/HOOK", json={"value": SECRET}).is_success
    hub = {"kind": "github", "url": "https://github.com", "webhook_secret": "HOOK"}
    assert api.put("/v1/connections/hub", json=hub).is_success


def file(command: str) -> dict[str, str]:
    return {"lineshaft.yml": f"on: {{push: }}\nsteps:\n  - name: a\n    run: '{command}'\n"}


def make(api: httpx2.Client, origin: Origin) -> str:
    """Make a pipeline of the repository's file."""
    answer = api.post("/v1/pipelines", json={"name": "shop", "repository": str(origin.bare)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def runs(api: httpx2.Client, pipeline: str) -> list[dict[str, Any]]:
    return list(api.get(f"/v1/pipelines/{pipeline}/runs").json()["items"])


def test_a_push_starts_a_run_of_the_file_in_that_commit(tmp_path: Path, origin: Origin) -> None:
    origin.commit_files(file("exit 1"))
    with up(tmp_path / "data", origin) as (server, api):
        connect(api)
        pipeline = make(api, origin)
        install_hook(origin.bare, str(api.base_url).rstrip("/"), SECRET)

        commit = origin.commit_files(file("echo pushed"))

        server.line_with(BEGUN)
        (run,) = runs(api, pipeline)
        assert finish(api, run)["state"] == "succeeded"
        log = api.get(f"/v1/runs/{run['id']}/nodes/a/log", headers={"Accept": "text/plain"})
        assert "pushed" in log.text
        (delivery,) = api.get("/v1/deliveries").json()["items"]
        assert delivery["changes"][0]["commit"] == commit
        assert [outcome["run_id"] for outcome in delivery["outcomes"]] == [run["id"]]


def test_a_webhook_that_is_sent_again_starts_nothing_twice(tmp_path: Path, origin: Origin) -> None:
    commit = origin.commit_files(file("true"))
    content, headers = signed(push_payload(origin.bare, commit), SECRET, "1")
    other = signed(push_payload(origin.bare, commit, "refs/heads/other"), SECRET, "2")
    with up(tmp_path / "data", origin) as (server, api):
        connect(api)
        pipeline = make(api, origin)

        first = api.post("/v1/webhooks/github", content=content, headers=headers)
        server.line_with(BEGUN)
        second = api.post("/v1/webhooks/github", content=content, headers=headers)
        api.post("/v1/webhooks/github", content=other[0], headers=other[1])
        server.line_with(BEGUN)

        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json()["id"] == second.json()["id"]
        assert len(runs(api, pipeline)) == 2


def test_what_was_answered_is_seen_to_after_the_server_was_killed(tmp_path: Path, origin: Origin) -> None:
    commit = origin.commit_files(file("true"))
    content, headers = signed(push_payload(origin.bare, commit), SECRET, "1")
    data = tmp_path / "data"
    with up(data, origin) as (_, api):
        connect(api)
        pipeline = make(api, origin)
    stuck = tmp_path / "stuck"
    stuck.mkdir()
    (stuck / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (stuck / "git").chmod(0o755)
    with up(data, origin, f"{stuck}:") as (server, api):
        answer = api.post("/v1/webhooks/github", content=content, headers=headers)
        assert (answer.status_code, answer.json()["state"]) == (202, "received")
        assert runs(api, pipeline) == []
        server.stop(signal.SIGKILL)

    # What the killed server has taken is another's after a minute, for which nobody waits here.
    with closing(sqlite3.connect(data / "lineshaft.db")) as database:
        database.execute("UPDATE deliveries SET due_at = received_at")
        database.commit()
    with up(data, origin) as (server, api):
        server.line_with(BEGUN)
        (run,) = runs(api, pipeline)
        assert finish(api, run)["state"] == "succeeded"
