"""The whole product as its users have it: a server, workers of containers, and pipelines in repositories.

docs/formats.md lists which test of this folder keeps which promise about jobs of `restfulci.yml`.
"""

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from command_line import isolated
from git_server import Origin
from http_pipelines import Document, events, finish
from integration.docker_engine import Engine, docker_engine, registry
from integration.tool_image import tools
from lineshaft.cli.app import run_command_line
from server_process import ServerProcess, server_process
from station import Plan, Station, station

__all__ = ["docker_engine", "registry", "tools"]

LEASE_SECONDS: Final = 3_600.0
WAIT: Final = "echo begun; until test -e /go; do sleep 0.05; done"
"""A script that waits until it is let go."""

_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Job:
    """A pipeline that was made of a file in a repository.

    Attributes:
        id: the pipeline's.
        origin: the repository.
        commit: its newest commit when the pipeline was made.
    """

    id: str
    origin: Origin
    commit: str


@dataclass(slots=True)
class Plant:
    """A server, a worker of containers, and an engine.

    Attributes:
        opened: the server.
        engine: where tasks run.
        image: an image with a shell, git and busybox, for jobs that name none.
    """

    opened: Station
    engine: Engine
    image: str

    @property
    def api(self) -> httpx2.Client:
        return self.opened.api

    @property
    def folder(self) -> Path:
        return self.opened.plan.folder

    def worker(
        self, name: str, engine: Engine | None = None, **variables: str
    ) -> AbstractContextManager[ServerProcess]:
        """Start a worker of containers."""
        settings = {
            "LINESHAFT_URL": self.opened.replicas[0].address,
            "LINESHAFT_NAME": name,
            "LINESHAFT_LABELS": name,
            "LINESHAFT_SLOTS": "4",
            "LINESHAFT_MAX_LOAD": "1",
            "LINESHAFT_EXECUTOR": "docker",
            "LINESHAFT_DOCKER_HOST": (engine or self.engine).address,
            "LINESHAFT_GIT_ROOTS": str(self.folder),
        }
        return server_process(self.folder / name, "worker", **(settings | variables))

    def call(self, *arguments: str, expected: int = 0) -> str:
        """Call the command line, which must end with this exit code; returns what it prints."""
        data = io.BytesIO()
        printed = io.TextIOWrapper(data)
        with pytest.MonkeyPatch.context() as patched, redirect_stdout(printed):
            for name, value in isolated(self.folder, self.opened.replicas[0].address, "admin").items():
                patched.setenv(name, value)
            code = run_command_line(arguments)
            printed.flush()
        text = data.getvalue().decode()
        assert code == expected, text
        return text

    def job(self, document: Document, files: Mapping[str, str] | None = None) -> Job:
        """Commit a job's `restfulci.yml` with files beside it, and make its pipeline."""
        origin, commit, path = self._committed("restfulci.yml", document, files)
        told = self.call("create-pipeline", str(path), "--repository", str(origin.bare))
        return Job(str(json.loads(told)["id"]), origin, commit)

    def pipeline(self, document: Document, files: Mapping[str, str] | None = None) -> Job:
        """Do so with a pipeline of the native language."""
        origin, commit, _ = self._committed("lineshaft.yml", document, files)
        named = {"name": origin.bare.parent.name, "repository": str(origin.bare), **document}
        answer = self.api.post(
            "/v1/pipelines", content=json.dumps(named), headers={"Content-Type": "application/yaml"}
        )
        assert answer.status_code == 201, answer.text
        return Job(str(answer.json()["id"]), origin, commit)

    def start(self, job: Job, **members: Any) -> Document:
        """Start a run."""
        answer = self.api.post(f"/v1/pipelines/{job.id}/runs", json=members)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def run(self, job: Job, **members: Any) -> Document:
        """Start a run, and wait for its end."""
        return finish(self.api, self.start(job, **members))

    def succeed(self, job: Job, **members: Any) -> Document:
        """Run it to its good end."""
        run = self.run(job, **members)
        assert run["state"] == "succeeded", self.account(run)
        return run

    def log(self, run: Document, path: str = "command") -> str:
        """Read what a task has printed."""
        return self.api.get(f"/v1/runs/{run['id']}/nodes/{path}/log").text

    def wait_for(self, run: Document, path: str, words: str) -> None:
        """Wait until a task has printed these words."""
        seen = ""
        for event in events(self.api, f"/v1/runs/{run['id']}/nodes/{path}/log/stream"):
            seen += json.loads(event.data).get("text", "")
            if words in seen:
                return
        raise AssertionError(f"The task ended and had not said {words}: {seen}")

    def cancel(self, run: Document) -> Document:
        """Cancel a run, and wait for its end."""
        answer = self.api.post(f"/v1/runs/{run['id']}/cancel")
        assert answer.is_success, answer.text
        return finish(self.api, run)

    def account(self, run: Document) -> str:
        """Tell of a run all that there is to know."""
        logs = {node["path"]: self.log(run, node["path"]) for node in run["nodes"] if node["attempt"]}
        return json.dumps({"run": run, "logs": logs}, indent=1)

    def engine_says(self, path: str, **params: str) -> Any:
        """Ask the engine."""
        with self.engine.blocking_client() as client:
            answer = client.get(path, params=params)
            assert answer.status_code == 200, answer.text
            return answer.json()

    def containers_of(self, run: Document) -> list[Document]:
        """Describe the containers that run for a run."""
        filters = json.dumps({"label": [f"lineshaft.run={run['id']}"]})
        return list(self.engine_says("/containers/json", filters=filters))

    def left_of(self, run: Document) -> list[str]:
        """Name what the engine has of a run: containers, networks, and volumes."""
        filters = json.dumps({"label": [f"lineshaft.run={run['id']}"]})
        containers = self.engine_says("/containers/json", all="1", filters=filters)
        networks = self.engine_says("/networks", filters=filters)
        volumes = self.engine_says("/volumes", filters=filters)["Volumes"] or []
        return [*(each["Id"] for each in containers), *(each["Name"] for each in (*networks, *volumes))]

    def let_go(self, run: Document) -> None:
        """Let the scripts of a run end that wait as `WAIT` does."""
        with self.engine.blocking_client() as client:
            for container in self.containers_of(run):
                command = {"Cmd": ["touch", "/go"]}
                made = client.post(f"/containers/{container['Id']}/exec", json=command).json()
                client.post(f"/exec/{made['Id']}/start", json={"Detach": True}).raise_for_status()

    def _committed(
        self, name: str, document: Document, files: Mapping[str, str] | None
    ) -> tuple[Origin, str, Path]:
        folder = self.folder / f"job-{next(_NUMBERS)}"
        folder.mkdir()
        (folder / name).write_text(json.dumps(document))
        origin = Origin(folder)
        commit = origin.commit_files({name: json.dumps(document), **(files or {})})
        return origin, commit, folder / name


def job(script: str, image: str, **members: Any) -> Document:
    """Write a job whose command is a script."""
    return {"version": 1.0, "executor": {"image": image}, "command": ["sh", "-ec", script], **members}


def task(name: str, image: str, script: str, **members: Any) -> Document:
    """Write a task of the native language."""
    return {"name": name, "image": image, "run": script, **members}


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory, docker_engine: Engine, tools: str) -> Iterator[Plant]:
    folder = tmp_path_factory.mktemp("plant")
    with station(Plan(folder, lease_seconds=LEASE_SECONDS)) as opened:
        plant = Plant(opened, docker_engine, tools)
        with plant.worker("boxes") as worker:
            worker.line_with(" serves ")
            yield plant
