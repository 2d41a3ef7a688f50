"""A shell where a task has failed, on the machine of its worker; and one elsewhere, with what it needs."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from command_line import isolated
from git_server import Origin
from http_pipelines import finish
from integration.docker_engine import Engine
from server_process import ServerProcess, server_process
from station import CREDENTIALS, Plan, Station, station
from terminal_session import TerminalSession

PIPELINE = """
name: shop
repository: {repository}
steps:
  - name: build
    {image}
    run: mkdir -p dist && echo of the build > dist/made
    artifacts: {{paths: [dist]}}
  - name: test
    needs: [build]
    {image}
    env: {{LEVEL: full}}
    secrets: [KEY]
    run: cat dist/made; echo of the task > left; exit 3
"""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Station]:
    with station(Plan(tmp_path)) as made:
        yield made


def worker(opened: Station, **variables: Any) -> AbstractContextManager[ServerProcess]:
    return server_process(
        opened.plan.folder / "worker",
        "worker",
        LINESHAFT_URL=opened.replicas[0].address,
        LINESHAFT_NAME="one",
        LINESHAFT_MAX_LOAD="1",
        LINESHAFT_GIT_ROOTS=str(opened.plan.folder),
        **variables,
    )


def run_of(opened: Station, origin: Origin, image: str = "") -> dict[str, Any]:
    """Have the task fail that needs what another one has built."""
    origin.commit_files({"file": "of the commit"})
    opened.api.put("/v1/secrets/KEY", json={"value": "of-the-server"}).raise_for_status()
    text = PIPELINE.format(repository=origin.bare, image=f"image: {image}" if image else "")
    headers = {"Content-Type": "application/yaml"}
    created = opened.api.post("/v1/pipelines", content=text, headers=headers)
    assert created.status_code == 201, created.text
    started = opened.api.post(f"/v1/pipelines/{created.json()['id']}/runs", json={})
    assert started.status_code == 202, started.text
    run = finish(opened.api, started.json())
    assert run["state"] == "failed", run
    return run


def session(opened: Station, run: dict[str, Any], *arguments: str, **variables: str) -> TerminalSession:
    environment = isolated(opened.plan.folder, opened.replicas[0].address, CREDENTIALS[1])
    environment |= {"LINESHAFT_USERNAME": CREDENTIALS[0], "PS1": "ready> ", **variables}
    return TerminalSession(
        "shell", run["id"], "test", *arguments, environment=environment, alone=True, columns=97, rows=31
    )


def told_by(shell: TerminalSession, prompt: str, line: str) -> str:
    """Type a line in a shell that has begun, which is to be its last, and return all that was shown."""
    with shell:
        shell.read_until(prompt)
        shell.type(line)
        return shell.read_to_end().replace("\r\n", "\n")


def log_of(opened: Station, run: dict[str, Any]) -> str:
    answer = opened.api.get(f"/v1/runs/{run['id']}/nodes/test/log")
    answer.raise_for_status()
    return answer.text


def test_a_shell_on_the_machine_of_the_worker_opens_what_the_task_has_left(
    opened: Station, origin: Origin
) -> None:
    data = ("--data", str(opened.plan.folder / "worker"))
    with worker(opened, LINESHAFT_KEEP_FAILED="1h"):
        run = run_of(opened, origin)
        first = told_by(
            session(opened, run, *data, "--secret", "KEY", KEY="of-mine-alone"),
            "ready> ",
            "cat left dist/made file; echo; echo $LEVEL $KEY; git status --short; echo more >> left; exit",
        )
    second = told_by(session(opened, run, *data), "ready> ", "tail -n 1 left; exit")
    fresh = told_by(session(opened, run, *data, "--fresh"), "ready> ", "ls; exit")

    assert f"lineshaft shell {run['id']} test" in log_of(opened, run)
    assert "The workspace is as attempt 1 has left it" in first
    assert "\nof the task\nof the build\nof the commit\nfull of-mine-alone\n" in first
    assert "\nmore\n" in second
    assert "has left it" not in fresh
    assert "left" not in fresh.rpartition("ready> ")[0].rpartition("exit")[2]


def test_a_shell_elsewhere_has_the_artifacts_that_the_task_needs(opened: Station, origin: Origin) -> None:
    with worker(opened):
        run = run_of(opened, origin)
    elsewhere = ("--data", str(opened.plan.folder / "elsewhere"))
    text = told_by(session(opened, run, *elsewhere), "ready> ", "cat dist/made file; ls left; exit")

    assert "Placed artifact 'build/" in text
    assert "\nof the build\nof the commit" in text
    assert "No such file" in text


def test_a_shell_after_a_task_in_a_container_is_in_its_image(
    opened: Station, origin: Origin, docker_engine: Engine, tools: str
) -> None:
    docker = {"LINESHAFT_EXECUTOR": "docker", "LINESHAFT_DOCKER_HOST": docker_engine.address}
    with worker(opened, LINESHAFT_KEEP_FAILED="1h", LINESHAFT_DEFAULT_IMAGE=tools, **docker):
        run = run_of(opened, origin)
    where = ("--data", str(opened.plan.folder / "worker"), "--docker-host", docker_engine.address)
    text = told_by(session(opened, run, *where), "#", "pwd; cat left; echo $OF_THE_IMAGE; exit")

    assert "\n/workspace\nof the task\nyes\n" in text
