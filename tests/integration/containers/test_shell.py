"""A shell where a task would run, on a real terminal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import isolated
from git_server import Origin
from integration.docker_engine import Engine
from station import CREDENTIALS, Plan, Station, station
from terminal_session import TerminalSession

PIPELINE = """
name: shop
repository: {repository}
inputs: {{level: {{default: fast}}}}
steps:
  - name: boxed
    image: {image}
    env: {{LEVEL: "${{{{ inputs.level }}}}"}}
    secrets: [KEY]
    cwd: api
    run: "true"
  - name: plain
    run: "true"
"""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Station]:
    with station(Plan(tmp_path)) as made:
        yield made


@pytest.fixture
def run(opened: Station, origin: Origin, tools: str) -> str:
    """A run that nobody has worked on yet."""
    origin.commit_files({"api/file": "of the commit"})
    headers = {"Content-Type": "application/yaml"}
    opened.api.put("/v1/secrets/KEY", json={"value": "of-the-server"}).raise_for_status()
    text = PIPELINE.format(repository=origin.bare, image=tools)
    created = opened.api.post("/v1/pipelines", content=text, headers=headers)
    assert created.status_code == 201, created.text
    started = opened.api.post(f"/v1/pipelines/{created.json()['id']}/runs", json={})
    assert started.status_code == 202, started.text
    return str(started.json()["id"])


def session(opened: Station, *arguments: str, **variables: str) -> TerminalSession:
    environment = isolated(opened.plan.folder, opened.replicas[0].address, CREDENTIALS[1])
    environment |= {"LINESHAFT_USERNAME": CREDENTIALS[0], **variables}
    return TerminalSession("shell", *arguments, environment=environment, alone=True, columns=97, rows=31)


def test_a_shell_in_the_image_has_the_commit_and_the_environment_of_the_task(
    opened: Station, run: str, docker_engine: Engine
) -> None:
    host = ("--docker-host", docker_engine.address)
    with session(opened, run, "boxed", *host, "--secret", "KEY", KEY="of-mine-alone") as shell:
        shell.read_until("#")
        shell.type("pwd; cat file; echo; echo $LEVEL $KEY $OF_THE_IMAGE; exit 7")
        text = shell.read_to_end()
        assert shell.process.wait() == 7
    assert "/workspace/api" in text
    assert "of the commit" in text
    assert "fast of-mine-alone yes" in text
    assert "of-the-server" not in text


def test_a_shell_of_a_task_without_an_image_is_a_process_here(opened: Station, run: str) -> None:
    with session(opened, run, "plain", PS1="ready> ") as shell:
        shell.read_until("ready> ")
        shell.type("test -t 0 && cat api/file; exit 3")
        text = shell.read_to_end()
        assert shell.process.wait() == 3
    assert "of the commit" in text


def test_a_task_that_is_not_there_is_told(opened: Station, run: str) -> None:
    with session(opened, run, "no/such") as shell:
        text = shell.read_to_end()
        assert shell.process.wait() == 4
    assert "has no task 'no/such'" in text
