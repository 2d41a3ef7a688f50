"""Images built from a source by a real engine and pushed to a real registry."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from git_imports import make_nested
from git_server import Origin
from integration.docker.site import need_program
from integration.docker_engine import Engine
from lineshaft.docker import DockerAccess
from lineshaft.executors.process import ProcessExecutor
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.wire.work import SourceBuildWorkMessage
from lineshaft.worker.drivers.build import BuildDriver
from lineshaft.worker.source import Sources
from lineshaft.worker.ssh import SshAgents
from lineshaft.worker.workshops import Workshops
from lineshaft.worker.workspace import Workspaces
from worker_tasks import Log, lease_of, perform, sources_in


class Builder:
    """The build driver of a worker, and a source."""

    def __init__(self, folder: Path, address: str, sources: Sources) -> None:
        self.folder = folder
        self.origin = Origin(folder)
        self.log = Log()
        executor = ProcessExecutor()
        self._workshops = Workshops(
            executor,
            Workspaces(folder / "workshops"),
            f"test{folder}/build/".replace(" ", "_"),
            SshAgents(executor, os.environ),
        )
        self._access = DockerAccess(address, Path("/nonexistent"))
        self._sources = sources

    async def build(
        self,
        repository: str,
        *,
        around: Mapping[str, object] | None = None,
        programs: bool = False,
        source: Path | None = None,
        **facts: object,
    ) -> Outcome:
        """Build an image.

        Args:
            repository: where it is pushed.
            around: what the lease says besides.
            programs: whether BuildKit may build.
            source: the repository of the source; None means the origin.
            **facts: what the task says besides.
        """
        said = {"dockerfile": "Dockerfile", "context": ".", "repository": repository, "tag": "v1", **facts}
        work = SourceBuildWorkMessage.model_validate(said)
        lease = lease_of(work, repository=str(source or self.origin.bare), **(around or {}))
        driver = BuildDriver(self._access, self._sources, self._workshops if programs else None)
        return await perform(driver, lease, self.log, [])


@pytest.fixture
async def builder(tmp_path: Path, docker_engine: Engine) -> AsyncIterator[Builder]:
    async with sources_in(tmp_path) as sources:
        yield Builder(tmp_path, docker_engine.address, sources)


async def test_an_image_is_built_from_the_source_and_pushed(
    builder: Builder, docker_engine: Engine, registry: str
) -> None:
    dockerfile = f"FROM {docker_engine.base_image}\nCOPY . /src\nRUN cat /src/word /src/sub/word\n"
    builder.origin.commit_files({"Dockerfile": dockerfile, "word": "one\n", "sub/word": "two\n"})
    outcome = await builder.build(f"{registry}/source")
    assert outcome == Outcome(State.SUCCEEDED), builder.log.text
    assert "one\ntwo\n" in builder.log.text
    assert "digest: sha256:" in builder.log.text


@pytest.mark.parametrize(("context", "copied"), [(".", "/src/lib/file"), ("lib", "/src/file")])
async def test_the_files_of_submodules_are_part_of_what_is_built(
    builder: Builder, docker_engine: Engine, registry: str, context: str, copied: str
) -> None:
    dockerfile = f"FROM {docker_engine.base_image}\nCOPY . /src\nRUN cat {copied}\n"
    source, _ = make_nested(builder.folder, {"Dockerfile": dockerfile})
    outcome = await builder.build(
        f"{registry}/nested", source=source, around={"submodules": True}, context=context
    )
    assert outcome == Outcome(State.SUCCEEDED), builder.log.text
    assert "inner\n" in builder.log.text


async def test_without_the_option_nothing_of_submodules_is_built(
    builder: Builder, docker_engine: Engine, registry: str
) -> None:
    dockerfile = f"FROM {docker_engine.base_image}\nCOPY . /src\nRUN cat /src/lib/file\n"
    source, _ = make_nested(builder.folder, {"Dockerfile": dockerfile})
    outcome = await builder.build(f"{registry}/nested", source=source)
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.IMAGE_BUILD_FAILED


async def test_what_the_source_ignores_is_not_sent(
    builder: Builder, docker_engine: Engine, registry: str
) -> None:
    dockerfile = f"FROM {docker_engine.base_image}\nCOPY . /src\nRUN cat /src/secret\n"
    files = {"Dockerfile": dockerfile, ".dockerignore": "secret\nDockerfile\n", "secret": "hidden"}
    builder.origin.commit_files(files)
    outcome = await builder.build(f"{registry}/ignored")
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.IMAGE_BUILD_FAILED
    assert "hidden" not in builder.log.text


async def test_arguments_and_the_stage_to_stop_at_reach_the_build(
    builder: Builder, docker_engine: Engine, registry: str
) -> None:
    dockerfile = (
        f"FROM {docker_engine.base_image} AS first\nARG WORD\nRUN echo said $WORD\n"
        f"FROM {docker_engine.base_image} AS second\nRUN false\n"
    )
    builder.origin.commit_files({"image/Dockerfile": dockerfile})
    outcome = await builder.build(
        f"{registry}/staged", dockerfile="image/Dockerfile", target="first", args={"WORD": "hello"}
    )
    assert outcome == Outcome(State.SUCCEEDED), builder.log.text
    assert "said hello\n" in builder.log.text


async def test_a_dockerfile_beside_its_context_is_used(
    builder: Builder, docker_engine: Engine, registry: str
) -> None:
    dockerfile = f"FROM {docker_engine.base_image}\nCOPY word /word\nRUN cat /word\n"
    builder.origin.commit_files({"docker/app": dockerfile, "app/word": "inside\n"})
    outcome = await builder.build(f"{registry}/beside", dockerfile="docker/app", context="app")
    assert outcome == Outcome(State.SUCCEEDED), builder.log.text
    assert "inside\n" in builder.log.text


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"dockerfile": "missing"}, "the Dockerfile 'missing' is not there"),
        ({"dockerfile": "../x"}, "the Dockerfile '../x' is not there"),
        ({"dockerfile": "/etc/passwd"}, "leads out of the workspace"),
        ({"context": ".."}, "the context '..' leads out of the workspace"),
        ({"context": "file"}, "the context 'file' is no folder"),
        ({"dockerfile": "sub"}, "the Dockerfile 'sub' is no file"),
        ({"dockerfile": "out/passwd"}, "the Dockerfile 'out/passwd' leads out of the workspace"),
        ({"context": "out"}, "the context 'out' leads out of the workspace"),
    ],
)
async def test_paths_that_lead_nowhere_or_out_fail_the_build(
    tmp_path: Path, facts: dict[str, Any], words: str
) -> None:
    async with sources_in(tmp_path) as sources:
        builder = Builder(tmp_path, "unix:///nonexistent/docker.sock", sources)
        builder.origin.commit_files({"Dockerfile": "FROM scratch", "file": "x", "sub/x": "x"})
        builder.origin.commit_link("out", "/etc")
        outcome = await builder.build("127.0.0.1:1/app", **facts)
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.IMAGE_BUILD_FAILED
    assert words in outcome.reason.text


async def test_several_images_are_built_at_once(
    builder: Builder, docker_engine: Engine, registry: str
) -> None:
    builder.origin.commit_files({"Dockerfile": f"FROM {docker_engine.base_image}\nCOPY . /src\n"})
    outcomes = await asyncio.gather(*(builder.build(f"{registry}/many{number}") for number in range(3)))
    assert [outcome.state for outcome in outcomes] == [State.SUCCEEDED] * 3, builder.log.text


async def test_the_digest_of_what_was_pushed_is_among_the_outputs(
    builder: Builder, docker_engine: Engine, registry: str
) -> None:
    builder.origin.commit_files({"Dockerfile": f"FROM {docker_engine.base_image}\nCOPY . /src\n"})
    around = {"outputs": ["digest", "image"]}
    outcome = await builder.build(f"{registry}/told", around=around, tags=["a", "b"])
    digest = outcome.outputs["digest"]
    assert outcome == Outcome(
        State.SUCCEEDED, outputs={"digest": digest, "image": f"{registry}/told@{digest}"}
    )
    assert f"digest: {digest}" in builder.log.text


async def test_a_registry_is_asked_with_the_secret_that_the_definition_names(
    builder: Builder, docker_engine: Engine, guarded_registry: str
) -> None:
    builder.origin.commit_files({"Dockerfile": f"FROM {docker_engine.base_image}\n"})
    around = {
        "registries": {guarded_registry: {"username": "builder", "password": "REGISTRY"}},
        "secret_values": {"REGISTRY": "open sesame"},
    }
    outcome = await builder.build(f"{guarded_registry}/named", around=around)
    assert outcome.state is State.SUCCEEDED, builder.log.text


async def test_a_secret_of_the_build_is_mounted_and_masked_in_the_log(
    builder: Builder, docker_engine: Engine
) -> None:
    need_program()
    dockerfile = (
        f"FROM {docker_engine.base_image}\n"
        "RUN --mount=type=secret,id=TOKEN echo it is $(cat /run/secrets/TOKEN)\n"
    )
    builder.origin.commit_files({"Dockerfile": dockerfile})
    value = f"hush-{os.urandom(8).hex()}"
    outcome = await builder.build(
        "127.0.0.1:1/secret",
        around={"secret_values": {"TOKEN": value}},
        programs=True,
        secrets=["TOKEN"],
        push=False,
    )
    assert outcome.state is State.SUCCEEDED, builder.log.text
    assert "it is " in builder.log.text
    assert value not in builder.log.text


async def test_a_secret_that_the_worker_was_not_given_fails_the_build_before_it_begins(
    builder: Builder,
) -> None:
    builder.origin.commit_files({"Dockerfile": "FROM scratch\n"})
    outcome = await builder.build("127.0.0.1:1/secret", programs=True, secrets=["TOKEN"])
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SECRET_MISSING
    assert builder.log.text == ""


async def test_an_ssh_agent_that_cannot_be_had_fails_the_build_before_it_begins(builder: Builder) -> None:
    builder.origin.commit_files({"Dockerfile": "FROM scratch\n"})
    around = {"ssh": {"keys": [], "agent": True}}
    outcome = await builder.build("127.0.0.1:1/ssh", around=around, programs=True)
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SSH_REFUSED
    assert builder.log.text == ""


async def test_an_engine_that_is_away_loses_the_attempt_and_does_not_fail_it(tmp_path: Path) -> None:
    async with sources_in(tmp_path) as sources:
        builder = Builder(tmp_path, "unix:///nonexistent/docker.sock", sources)
        builder.origin.commit_files({"Dockerfile": "FROM scratch"})
        outcome = await builder.build("127.0.0.1:1/app")
    assert outcome.state is State.LOST
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.DOCKER_UNREACHABLE
