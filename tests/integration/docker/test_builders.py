"""What both builders promise: the classic one of a real engine, and BuildKit in it."""

import asyncio
import base64
import json
from pathlib import Path

import httpx2
import pytest

from integration.docker.site import BUILDKIT, CLASSIC, Site, site_in
from integration.docker_engine import Engine
from lineshaft.docker import Built, Trouble
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Login

_LOGIN = Login("builder", "open sesame")


@pytest.fixture(params=[CLASSIC, BUILDKIT])
def builder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(builder: str, tmp_path: Path, docker_engine: Engine) -> Site:
    return site_in(tmp_path, docker_engine.address, builder)


def trouble_of(built: Built | Trouble) -> Trouble:
    assert isinstance(built, Trouble)
    return built


async def manifest_digest(registry: str, name: str, tag: str) -> str:
    kinds = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    async with httpx2.AsyncClient(timeout=60) as client:
        answer = await client.head(f"http://{registry}/v2/{name}/manifests/{tag}", headers=kinds)
    return answer.headers["docker-content-digest"]


async def test_the_log_says_which_builder_builds(site: Site, builder: str, docker_engine: Engine) -> None:
    built = await site.build(f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/said", push=False)
    assert isinstance(built, Built)
    words = {
        CLASSIC: "The classic builder builds, since no programs are called here.\n",
        BUILDKIT: "BuildKit builds, by /",
    }
    assert site.output.text.startswith(words[builder])


async def test_an_image_is_pushed_under_each_of_its_tags_and_tells_its_digest(
    site: Site, builder: str, docker_engine: Engine, registry: str
) -> None:
    name = f"tags/{builder}"
    dockerfile = f"FROM {docker_engine.base_image}\nRUN echo {builder} > /made\n"
    built = await site.build(dockerfile, f"{registry}/{name}", "v1", "v1.2", "latest")
    digests = {await manifest_digest(registry, name, tag) for tag in ("v1", "v1.2", "latest")}
    assert isinstance(built, Built)
    assert digests == {built.digest}
    assert built.image == f"{registry}/{name}@{built.digest}"
    assert site.output.text.count(": Pushed\n") <= 2


async def test_an_image_that_is_not_pushed_has_its_tags_in_the_engine_and_its_id_for_a_digest(
    site: Site, builder: str, docker_engine: Engine
) -> None:
    repository = f"127.0.0.1:1/kept/{builder}"
    built = await site.build(f"FROM {docker_engine.base_image}\n", repository, "a", "b", push=False)
    assert isinstance(built, Built)
    async with docker_engine.client() as client:
        ids = {(await client.get(f"/images/{repository}:{tag}/json")).json()["Id"] for tag in ("a", "b")}
    assert ids == {built.digest} == {built.image}


async def test_what_dockerignore_names_is_not_in_the_context(site: Site, docker_engine: Engine) -> None:
    (site.folder / ".dockerignore").write_text("private\n")
    (site.folder / "private").write_text("hidden")
    (site.folder / "public").write_text("shown")
    dockerfile = (
        f"FROM {docker_engine.base_image}\nCOPY . /src\nRUN test -e /src/public && test ! -e /src/private\n"
    )
    assert isinstance(await site.build(dockerfile, "127.0.0.1:1/ignored", push=False), Built)


async def test_arguments_target_and_labels_reach_the_build(site: Site, docker_engine: Engine) -> None:
    base = docker_engine.base_image
    dockerfile = f"FROM {base} AS first\nARG WORD\nRUN test $WORD = hello\nFROM {base}\nRUN false\n"
    built = await site.build(
        dockerfile,
        "127.0.0.1:1/told",
        push=False,
        args={"WORD": "hello"},
        target="first",
        labels={"lineshaft.run": "a-run"},
    )
    assert isinstance(built, Built)
    async with docker_engine.client() as client:
        described = (await client.get(f"/images/{built.digest}/json")).json()
    assert described["Config"]["Labels"] == {"lineshaft.run": "a-run"}


async def test_a_failing_command_is_the_tasks_and_named_with_its_exit_code(
    site: Site, docker_engine: Engine
) -> None:
    trouble = trouble_of(
        await site.build(f"FROM {docker_engine.base_image}\nRUN echo so far && exit 42\n", "127.0.0.1:1/x")
    )
    assert (trouble.reason.code, trouble.exit_code, trouble.ours) == (
        ReasonCode.IMAGE_BUILD_FAILED,
        42,
        False,
    )
    assert "echo so far && exit 42" in trouble.reason.text
    assert "so far\n" in site.output.text


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        ("FRM scratch", "unknown instruction: FRM"),
        ("", "cannot be empty"),
        ("FROM scratch\nCOPY missing /\n", "COPY"),
    ],
)
async def test_a_dockerfile_that_cannot_be_built_is_the_tasks_and_the_mistake_is_told(
    dockerfile: str, words: str, site: Site
) -> None:
    trouble = trouble_of(await site.build(dockerfile, "127.0.0.1:1/x"))
    assert (trouble.reason.code, trouble.ours) == (ReasonCode.IMAGE_BUILD_FAILED, False)
    assert words in trouble.reason.text


async def test_a_base_image_that_is_in_no_registry_is_the_tasks(site: Site, registry: str) -> None:
    trouble = trouble_of(await site.build(f"FROM {registry}/never/was:v1\n", "127.0.0.1:1/x"))
    assert (trouble.reason.code, trouble.ours) == (ReasonCode.IMAGE_NOT_FOUND, False)
    assert f"{registry}/never/was" in trouble.reason.text


async def test_a_registry_of_the_base_image_that_is_away_is_ours(site: Site) -> None:
    trouble = trouble_of(await site.build("FROM 127.0.0.1:1/base\n", "127.0.0.1:1/x"))
    assert (trouble.reason.code, trouble.ours) == (ReasonCode.REGISTRY_UNREACHABLE, True)
    assert "127.0.0.1:1" in trouble.reason.text


async def test_a_registry_that_is_away_at_the_push_is_ours(site: Site, docker_engine: Engine) -> None:
    trouble = trouble_of(await site.build(f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/x"))
    assert (trouble.reason.code, trouble.ours) == (ReasonCode.REGISTRY_UNREACHABLE, True)


async def test_a_push_that_is_denied_is_the_tasks(
    site: Site, docker_engine: Engine, guarded_registry: str
) -> None:
    registries = {guarded_registry: Login("builder", "wrong")}
    trouble = trouble_of(
        await site.build(
            f"FROM {docker_engine.base_image}\n", f"{guarded_registry}/denied", registries=registries
        )
    )
    assert (trouble.reason.code, trouble.ours) == (ReasonCode.IMAGE_PUSH_FAILED, False)


async def test_an_engine_that_is_away_is_ours(site: Site, tmp_path: Path) -> None:
    away = Site(site.folder, site.access.__class__("unix:///nonexistent", tmp_path), site.workshop)
    trouble = trouble_of(await away.build("FROM scratch\n", "127.0.0.1:1/x"))
    assert (trouble.reason.code, trouble.ours) == (ReasonCode.DOCKER_UNREACHABLE, True)


async def test_a_guarded_base_image_is_pulled_with_the_credentials_of_the_task(
    site: Site, builder: str, docker_engine: Engine, guarded_registry: str
) -> None:
    base = await guarded_base(site, builder, docker_engine, guarded_registry)
    denied = trouble_of(await site.build(f"FROM {base}\n", "127.0.0.1:1/x", push=False))
    assert (denied.reason.code, denied.ours) == (ReasonCode.IMAGE_PULL_DENIED, False), denied
    registries = {guarded_registry: _LOGIN}
    assert isinstance(
        await site.build(f"FROM {base}\n", "127.0.0.1:1/x", push=False, registries=registries), Built
    )


async def test_a_guarded_base_image_is_pulled_with_the_credentials_of_the_worker(
    site: Site, builder: str, docker_engine: Engine, guarded_registry: str
) -> None:
    base = await guarded_base(site, f"{builder}-worker", docker_engine, guarded_registry)
    site.access.config_folder.mkdir()
    entry = {"auth": base64.b64encode(b"builder:open sesame").decode()}
    configuration = site.access.config_folder / "config.json"
    configuration.write_text(json.dumps({"auths": {guarded_registry: entry}}))
    dockerfile = "ARG BASE=scratch\nFROM ${BASE}\n"
    built = await site.build(dockerfile, "127.0.0.1:1/x", push=False, args={"BASE": base})
    assert isinstance(built, Built), site.output.text


async def guarded_base(site: Site, name: str, engine: Engine, registry: str) -> str:
    """Push a base image that only some may pull, and have the engine forget it."""
    base = f"{registry}/base/{name}:v1"
    dockerfile = f"FROM {engine.base_image}\nRUN echo {name} > /name\n"
    built = await site.build(dockerfile, f"{registry}/base/{name}", registries={registry: _LOGIN})
    assert isinstance(built, Built), built
    async with engine.client() as client:
        (await client.delete(f"/images/{base}")).raise_for_status()
    return base


async def test_nothing_of_a_build_stays_in_its_folder(
    site: Site, docker_engine: Engine, tmp_path: Path
) -> None:
    await site.build(f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/clean", push=False)
    await site.build("FROM 127.0.0.1:1/missing\n", "127.0.0.1:1/clean", push=False)
    assert await asyncio.to_thread(lambda: list((tmp_path / "workshop").iterdir())) == []
