"""A real repository whose hook calls a real server, and a file of pipelines that a real server keeps."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from git_server import Origin
from http_server import http_server
from lineshaft.definition import read_native
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.repositories import GitRepositories
from lineshaft.ports.clock import ManualClock
from pipelines_files import entry
from planes import PASSWORD, USERNAME, temporary_plane
from server_process import ServerProcess, server_process

ADDRESS = "https://git.example/team/shop"
HOOK = """#!/bin/sh
while read -r old new ref; do
  curl --fail --silent --show-error --noproxy '*' --user {user} --request POST \\
    "{url}/webhook?pipeline=shop&changed-refs=$new" >> {answers}
done
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_a_push_to_a_repository_whose_hook_calls_starts_a_run_of_what_was_pushed(
    tmp_path: Path, clock: ManualClock
) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"src/a.c": "1", "README.md": "1"})
    program = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    repositories = GitRepositories(Mirrors(program, tmp_path / "mirrors", [tmp_path], partial=True))
    document = {"name": "shop", "repository": str(origin.bare), "steps": [{"name": "a", "run": "make"}]}
    answers = tmp_path / "answers"
    async with (
        temporary_plane(tmp_path / "blobs", clock, repositories=repositories) as plane,
        http_server(plane) as url,
    ):
        await plane.pipelines.create(read_native(json.dumps(document).encode()))
        hook = origin.bare / "hooks" / "post-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK.format(user=f"{USERNAME}:{PASSWORD}", url=url, answers=answers))
        hook.chmod(0o755)

        await asyncio.to_thread(origin.commit_files, {"src/a.c": "2", "docs/b.md": "1"})

        run = await plane.runs.get(UUID(json.loads(answers.read_text())["run"]["id"]))
        assert run.source is not None
        assert run.source.changeset == ("docs/b.md", "src/a.c")


def write(file: Path, **entries: Any) -> None:
    """Write a file of pipelines beside its place, and put it there at once."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(entries))
    new.replace(file)


def pipelines(api: httpx2.Client) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in api.get("/v1/pipelines").json()["items"]}


def taken(server: ServerProcess, entries: int, refused: int = 0) -> str:
    return server.line_with(f"pipelines.json says: {entries} of them, and {refused} entries are refused.")


def test_a_server_keeps_the_pipelines_of_its_file_while_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "pipelines.json"
    with (
        server_process(tmp_path / "data", "server", LINESHAFT_PIPELINES=str(file)) as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=60) as api,
    ):
        write(file, shop=entry(ADDRESS, ref="main"), site=entry(ADDRESS), blog=entry(ADDRESS))
        taken(server, 3)
        first = pipelines(api)

        write(file, shop=entry(ADDRESS, ref="next", cwd="ci"), site={"exec": 7}, wiki=entry(ADDRESS))
        taken(server, 2, refused=1)
        second = pipelines(api)
        changed = api.put(f"/v1/pipelines/{first['shop']['id']}", json={"name": "x", "steps": []})
        deleted = api.delete(f"/v1/pipelines/{first['shop']['id']}")
        run = api.post(f"/v1/pipelines/{first['shop']['id']}/runs").json()

    assert set(first) == {"shop", "site", "blog"}
    assert set(second) == {"shop", "site", "wiki"}
    assert all(each["managed"] for each in second.values())
    assert (second["shop"]["id"], second["site"]) == (first["shop"]["id"], first["site"])
    assert second["shop"]["steps"] != first["shop"]["steps"]
    assert changed.status_code in {409, 422}
    assert (deleted.status_code, deleted.json()["type"]) == (409, "urn:lineshaft:problem:pipeline-managed")
    assert run["source"]["ref"] == "next"
