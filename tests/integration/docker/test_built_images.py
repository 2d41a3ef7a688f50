"""Images that are built for tasks to run in, from their source, by a real engine."""

import asyncio
import secrets
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiodocker import Docker, DockerError

from integration.docker_engine import Engine
from integration.output import Output
from lineshaft.docker import DockerAccess
from lineshaft.docker.built import REPOSITORY, remove_unused
from lineshaft.docker.engine import connected
from lineshaft.docker.provision import Images
from lineshaft.model.image import ImageBuild, PullPolicy
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Container, NotStarted

A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Yard:
    """An engine, and a workspace to build from."""

    docker: Docker
    base: str
    images: Images
    source: Path

    def write(self, dockerfile: str, name: str = "Dockerfile") -> None:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dockerfile.replace("BASE", self.base))

    async def build(
        self,
        build: ImageBuild | None = None,
        output: Output | None = None,
        *,
        source: Path | None = None,
        policy: PullPolicy = PullPolicy.MISSING,
    ) -> str | NotStarted:
        build = build or ImageBuild("Dockerfile", ".")
        container = Container(build, source or self.source, policy, marks={"lineshaft.run": "a-run"})
        return await self.images.provide(self.docker, build, container, output or Output())

    async def described(self, image: str | NotStarted) -> dict[str, Any]:
        assert isinstance(image, str)
        return await self.docker.images.inspect(image)

    async def says(self, image: str | NotStarted, path: str) -> str:
        """Read a file of an image."""
        archive = await self._archive(image, path)
        file = archive.extractfile(archive.getmembers()[0])
        assert file is not None
        return file.read().decode()

    async def members(self, image: str | NotStarted, path: str) -> list[tarfile.TarInfo]:
        """List what an image has at a path."""
        return (await self._archive(image, path)).getmembers()

    async def _archive(self, image: str | NotStarted, path: str) -> tarfile.TarFile:
        assert isinstance(image, str)
        container = await self.docker.containers.create({"Image": image, "Cmd": ["true"]})
        try:
            return await container.get_archive(path)
        finally:
            await container.delete(force=True)


@pytest.fixture
async def yard(docker_engine: Engine, tmp_path: Path) -> AsyncIterator[Yard]:
    access = DockerAccess(docker_engine.address, tmp_path)
    source = tmp_path / "source"
    source.mkdir()
    # What is built in one test is not what is built in another, nor in another run of the tests.
    (source / "unique").write_text(secrets.token_hex(16))
    async with connected(access) as docker:
        assert isinstance(docker, Docker)
        # Another run of the tests may give the base image's name to another image meanwhile.
        base = f"lineshaft-test-base-{secrets.token_hex(8)}"
        await docker.images.tag(docker_engine.base_image, base, tag="v1")
        yield Yard(docker, f"{base}:v1", Images(access), source)
        await docker.images.delete(f"{base}:v1", noprune=True)


def refused(provided: str | NotStarted) -> NotStarted:
    assert isinstance(provided, NotStarted)
    return provided


async def test_an_image_is_built_from_the_workspace(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\n")
    image = await yard.build()
    assert await yard.says(image, "/unique") == (yard.source / "unique").read_text()


async def test_a_build_has_its_context_its_target_and_its_arguments(yard: Yard) -> None:
    yard.write(
        "FROM BASE AS first\nARG LEVEL\nCOPY file /file\nENV LEVEL=$LEVEL\nFROM BASE\n", "ci/Dockerfile"
    )
    yard.write(secrets.token_hex(16), "app/file")
    image = await yard.build(ImageBuild("ci/Dockerfile", "app", target="first", args={"LEVEL": "high"}))
    assert await yard.says(image, "/file") == (yard.source / "app/file").read_text()
    assert "LEVEL=high" in (await yard.described(image))["Config"]["Env"]


async def test_an_image_that_is_built_carries_the_labels_of_the_run(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\n")
    labels = (await yard.described(await yard.build()))["Config"]["Labels"]
    assert labels == {"lineshaft.run": "a-run", "lineshaft.image": "built"}


async def test_what_the_builder_says_is_in_the_log(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\nRUN echo this is said\n")
    output = Output()
    await yard.build(output=output)
    assert "this is said" in output.text


async def test_the_same_files_are_built_once(yard: Yard, tmp_path: Path) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\n")
    other = tmp_path / "other"
    other.mkdir()
    for name in ("Dockerfile", "unique"):
        (other / name).write_text((yard.source / name).read_text())
    first = await yard.build()
    output = Output()
    assert await yard.build(output=output, source=other) == first
    assert output.text.startswith(f"The image was built before, of the same files: {REPOSITORY}:")
    assert output.text.count("\n") == 1


async def test_a_changed_file_is_built_anew(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\n")
    first = await yard.build()
    (yard.source / "unique").write_text("changed")
    assert await yard.says(await yard.build(), "/unique") == "changed"
    assert await yard.build() != first


async def test_a_file_that_is_left_out_of_the_context_changes_nothing(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\n")
    yard.write("notes\n", ".dockerignore")
    first = await yard.build()
    yard.write("something", "notes")
    assert await yard.build() == first


async def test_always_builds_again_with_the_layers_that_are_there(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\nRUN echo a > /a\n")
    await yard.build()
    output = Output()
    assert isinstance(await yard.build(output=output, policy=PullPolicy.ALWAYS), str)
    assert "Using cache" in output.text


async def test_tasks_of_one_commit_that_want_one_build_at_once_share_it(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\nRUN echo built\n")
    outputs = [Output(), Output()]
    images = await asyncio.gather(
        *(yard.build(output=output, policy=PullPolicy.ALWAYS) for output in outputs)
    )
    assert images[0] == images[1]


async def test_layers_come_from_the_cache_in_a_registry_when_the_engine_has_none(
    yard: Yard, registry: str
) -> None:
    yard.write(f"FROM BASE\nCOPY unique /unique\nRUN echo {secrets.token_hex(8)} > /made\n")
    build = ImageBuild("Dockerfile", ".", cache=f"{registry}/{secrets.token_hex(8)}")
    image = await yard.build(build)
    assert isinstance(image, str)
    await yard.docker.images.delete(image, force=True)
    with pytest.raises(DockerError, match="No such image"):
        await yard.docker.images.inspect(image)
    output = Output()
    assert isinstance(await yard.build(build, output), str)
    assert "Using cache" in output.text


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (ImageBuild("../Dockerfile", "."), "../Dockerfile leads out of the workspace"),
        (ImageBuild("Dockerfile", "out"), "out leads out of the workspace"),
        (ImageBuild("link", "."), "link leads out of the workspace"),
        (ImageBuild("/etc/passwd", "."), "/etc/passwd leads out of the workspace"),
        (ImageBuild("nothing", "."), "nothing is not there"),
        (ImageBuild("inner", "."), "inner is no file"),
        (ImageBuild("Dockerfile", "unique"), "unique is no folder"),
    ],
)
async def test_a_build_stays_in_the_workspace(yard: Yard, build: ImageBuild, words: str) -> None:
    yard.write("FROM BASE\n")
    (yard.source / "inner").mkdir()
    (yard.source.parent / "Dockerfile").write_text("FROM scratch\n")
    (yard.source / "out").symlink_to("..")
    (yard.source / "link").symlink_to(yard.source.parent / "Dockerfile")
    refusal = refused(await yard.build(build))
    assert refusal == NotStarted(f"The image could not be built: {words}.", ReasonCode.IMAGE_BUILD_FAILED)


async def test_a_link_in_the_context_is_sent_as_a_link(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY . /all/\n")
    (yard.source.parent / "secret").write_text("not to be seen")
    (yard.source / "out").symlink_to(yard.source.parent / "secret")
    image = await yard.build()
    (link,) = await yard.members(image, "/all/out")
    assert link.issym()


async def test_a_build_that_fails_is_the_tasks_failure(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\nRUN false\n")
    refusal = refused(await yard.build())
    assert (refusal.code, refusal.ours) == (ReasonCode.IMAGE_BUILD_FAILED, False)


async def test_an_image_that_no_task_has_used_for_long_is_removed(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\n")
    image = await yard.build()
    assert isinstance(image, str)
    # Under a name of this test's own, so that no other image is as old as it says.
    repository = f"lineshaft-test-built-{secrets.token_hex(8)}"
    await yard.docker.images.tag(image, repository, tag="v1")
    used_at = datetime.fromisoformat((await yard.described(image))["Metadata"]["LastTagTime"])
    assert await remove_unused(yard.docker, used_at, repository) == 0
    assert await remove_unused(yard.docker, used_at + A_MOMENT, repository) == 1
    with pytest.raises(DockerError, match="No such image"):
        await yard.docker.images.inspect(f"{repository}:v1")


async def test_the_image_of_a_container_stays_however_old_it_is(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\n")
    image = await yard.build()
    (name,) = (await yard.described(image))["RepoTags"]
    repository = f"lineshaft-test-built-{secrets.token_hex(8)}"
    await yard.docker.images.tag(name, repository, tag="v1")
    await yard.docker.images.delete(name)
    container = await yard.docker.containers.create({"Image": f"{repository}:v1", "Cmd": ["true"]})
    try:
        used_at = datetime.fromisoformat((await yard.described(image))["Metadata"]["LastTagTime"])
        assert await remove_unused(yard.docker, used_at + A_MOMENT, repository) == 0
    finally:
        await container.delete()
        await yard.docker.images.delete(f"{repository}:v1")


async def test_an_image_is_marked_as_used_whenever_a_task_takes_it(yard: Yard) -> None:
    yard.write("FROM BASE\nCOPY unique /unique\n")
    first = (await yard.described(await yard.build()))["Metadata"]["LastTagTime"]
    second = (await yard.described(await yard.build()))["Metadata"]["LastTagTime"]
    assert datetime.fromisoformat(second) > datetime.fromisoformat(first)
