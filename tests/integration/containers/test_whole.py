"""Pipelines whose tasks run in containers: by a server and a worker of their own, and by one command."""

import json
import os
import secrets
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from command_line import isolated
from git_server import Origin
from http_pipelines import finish, node
from integration.docker_engine import Engine
from server_process import ServerProcess, server_process
from station import Plan, Station, station

PIPELINE = """
name: shop
steps:
  - name: make
    image: {image}
    outputs: [version]
    artifacts: {{paths: [made]}}
    run: |
      test "$(pwd)" = /workspace
      mkdir made && cat file > made/copy
      echo "version=$(cat file)" >> $LINESHAFT_OUTPUT
  - name: more
    needs: [make]
    generates: nodes.yml
    run: |
      echo 'steps: [{{name: made, run: "true"}}]' > nodes.yml
  - name: use
    if: changed("file")
    env: {{VERSION: "${{{{ outputs.make.version }}}}"}}
    run: test "$VERSION" = hello && test "$(cat $LINESHAFT_CHANGESET)" = file
"""


@pytest.fixture
def pipeline(tools: str) -> str:
    return PIPELINE.format(image=tools).replace("    needs: [make]\n", "")


def test_a_server_and_a_worker_of_containers_run_a_pipeline(
    tmp_path: Path, docker_engine: Engine, tools: str, pipeline: str, origin: Origin
) -> None:
    commit = origin.commit("hello")
    document = f"repository: {origin.bare}\n{pipeline}"
    with station(Plan(tmp_path)) as opened, containers_worker(opened, docker_engine, tools):
        created = opened.api.post(
            "/v1/pipelines", content=document, headers={"Content-Type": "application/yaml"}
        )
        assert created.status_code == 201, created.text
        started = opened.api.post(
            f"/v1/pipelines/{created.json()['id']}/runs", json={"changed": ["file"], "ref": commit}
        )
        assert started.status_code == 202, started.text
        run = finish(opened.api, started.json())
        assert run["state"] == "succeeded", json.dumps(run, indent=1)
        assert node(run, "use")["state"] == "succeeded"
        (worker,) = opened.api.get("/v1/workers").json()["items"]
        assert worker["labels"] == ["executor:docker"]


def containers_worker(opened: Station, engine: Engine, tools: str) -> AbstractContextManager[ServerProcess]:
    return server_process(
        opened.plan.folder / "boxes",
        "worker",
        LINESHAFT_URL=opened.network.address,
        LINESHAFT_NAME="boxes",
        LINESHAFT_MAX_LOAD="1",
        LINESHAFT_EXECUTOR="docker",
        LINESHAFT_DOCKER_HOST=engine.address,
        LINESHAFT_DEFAULT_IMAGE=tools,
        LINESHAFT_GIT_ROOTS=str(opened.plan.folder),
    )


def words(text: str, behind: str) -> list[str]:
    """The words of the line that begins so."""
    (line,) = (line for line in text.splitlines() if line.startswith(behind))
    return line.removeprefix(behind).split()


def lineshaft(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **isolated(folder, "http://localhost:1", "x"), **variables}
    return subprocess.run(
        [sys.executable, "-m", "lineshaft", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_one_command_runs_a_pipeline_in_containers_without_a_server(
    tmp_path: Path, docker_engine: Engine, tools: str, pipeline: str
) -> None:
    (tmp_path / "lineshaft.yml").write_text(pipeline)
    (tmp_path / "file").write_text("hello")
    result = lineshaft(
        tmp_path,
        *("run", "--executor", "docker", "--docker-host", docker_engine.address),
        *("--default-image", tools, "--changed", "file", "--logs"),
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_task_that_names_no_image_is_told_both_ways_out(tmp_path: Path, docker_engine: Engine) -> None:
    (tmp_path / "lineshaft.yml").write_text("name: x\nsteps: [{name: a, run: 'true'}]")
    result = lineshaft(tmp_path, "run", "--executor", "docker", "--docker-host", docker_engine.address)
    assert result.returncode == 1
    assert "Say `image` in the definition, or start the worker with --default-image" in " ".join(
        (result.stdout + result.stderr).split()
    )


BUILT = """
name: shop
parallel: true
steps:
  - name: make
    image: {image}
    artifacts: {{paths: [made]}}
    run: mkdir made && echo new > made/file
  - name: use
    needs: [make]
    image: {{build: {{dockerfile: Dockerfile}}}}
    services: {{beside: {{image: {{build: {{dockerfile: Dockerfile}}}}, command: [sleep, "600"]}}}}
    cache: {{key: things, paths: [kept]}}
    run: |
      echo in the image: $(ls /context)
      echo in the workspace: $(ls)
      mkdir -p kept && echo more > kept/file
"""


def test_an_image_is_built_of_the_source_and_not_of_artifacts_and_caches(
    tmp_path: Path, docker_engine: Engine, tools: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "lineshaft.yml").write_text(BUILT.format(image=tools))
    # What is built in one run of the tests is not what is built in another.
    (source / "unique").write_text(secrets.token_hex(16))
    (source / "Dockerfile").write_text(f"FROM {tools}\nCOPY . /context\n")
    (source / ".dockerignore").write_text(".git\n")
    call = ("run", "--executor", "docker", "--docker-host", docker_engine.address, "--logs")
    first = lineshaft(tmp_path, *call, "source/lineshaft.yml")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Placed artifact" in first.stdout
    assert words(first.stdout, "in the image: ") == ["Dockerfile", "lineshaft.yml", "unique"]
    second = lineshaft(tmp_path, *call, "source/lineshaft.yml")
    assert "Cache 'things': a hit" in second.stdout
    assert words(second.stdout, "in the workspace: ")[:2] == ["Dockerfile", "kept"]
    assert words(second.stdout, "in the image: ") == ["Dockerfile", "lineshaft.yml", "unique"]
    assert "The image was built before, of the same files" in second.stdout


def test_one_command_shows_tasks_with_ssh_the_hosts_that_it_names(
    tmp_path: Path, docker_engine: Engine, tools: str
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (tmp_path / "hosts").write_text("git.example ssh-ed25519 AAAA\n")
    (tmp_path / "lineshaft.yml").write_text(
        f"name: x\nsteps: [{{name: a, image: '{tools}', ssh: {{keys: [KEY]}}, "
        "run: cat /etc/ssh/ssh_known_hosts}]"
    )
    result = lineshaft(
        tmp_path,
        *("run", "--executor", "docker", "--docker-host", docker_engine.address, "--logs"),
        *("--secret", "KEY", "--ssh-known-hosts", "hosts"),
        KEY=key.read_text(),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "git.example ssh-ed25519 AAAA\n" in result.stdout


def test_where_no_engine_answers_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "lineshaft.yml").write_text("name: x\nsteps: [{name: a, image: x, run: 'true'}]")
    result = lineshaft(tmp_path, "run", "--executor", "docker", "--docker-host", f"unix://{tmp_path}/none")
    assert result.returncode == 8
    assert "No Docker engine answered" in result.stderr
    assert "--docker-host" in result.stderr
