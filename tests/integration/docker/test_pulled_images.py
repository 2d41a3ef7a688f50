"""Images that tasks name, on a real engine, from a real registry."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from aiodocker import Docker

from integration.docker_engine import Engine
from integration.output import Output
from lineshaft.docker import DockerAccess
from lineshaft.docker.engine import connected
from lineshaft.docker.provision import Images
from lineshaft.model.image import PullPolicy
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Container, Login, NotStarted

PASSWORD = "open sesame"


@dataclass(frozen=True, slots=True)
class Shelf:
    """An engine, and images in a registry of which it has none."""

    docker: Docker
    base: str
    images: Images

    async def put(self, registry: str, auth: Mapping[str, str] | None = None) -> tuple[str, str]:
        """Put a fresh image into a registry and not into the engine; return its name and digest."""
        name = f"{registry}/{secrets.token_hex(8)}:v1"
        return name, await self.put_again(name, auth)

    async def put_again(self, name: str, auth: Mapping[str, str] | None = None) -> str:
        """Put another image under a name; return its digest."""
        repository, _, tag = name.rpartition(":")
        container = await self.docker.containers.create({"Image": self.base, "Cmd": ["true"]})
        try:
            changes = f"LABEL unique={secrets.token_hex(8)}"
            made = await container.commit(repository=repository, tag=tag, changes=changes)
        finally:
            await container.delete()
        pushed = [
            part async for part in self.docker.images.push(repository, tag=tag, auth=auth or {}, stream=True)
        ]
        await self.docker.images.delete(made["Id"], force=True)
        return str(next(part["aux"]["Digest"] for part in pushed if "aux" in part))

    async def provide(
        self,
        name: str,
        output: Output | None = None,
        *,
        policy: PullPolicy = PullPolicy.MISSING,
        registries: Mapping[str, Login] | None = None,
    ) -> str | NotStarted:
        container = Container(name, Path("/nonexistent"), policy, registries=registries or {})
        return await self.images.provide(self.docker, name, container, output or Output())


@pytest.fixture
async def shelf(docker_engine: Engine, tmp_path: Path) -> AsyncIterator[Shelf]:
    access = DockerAccess(docker_engine.address, tmp_path)
    async with connected(access) as docker:
        assert isinstance(docker, Docker)
        yield Shelf(docker, docker_engine.base_image, Images(access))


async def push_by_hand(registry: str, architecture: str) -> str:
    """Put an image without files into a registry, for any kind of processor; return its name."""
    repository, layer = secrets.token_hex(8), bytes(10_240)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["true"], "Labels": {"unique": repository}},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
        }
    ).encode()
    kinds = {
        "config": ("application/vnd.docker.container.image.v1+json", config),
        "layer": ("application/vnd.docker.image.rootfs.diff.tar", layer),
    }
    parts = {
        name: {"mediaType": kind, "size": len(data), "digest": digest_of(data)}
        for name, (kind, data) in kinds.items()
    }
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": parts["config"], "layers": [parts["layer"]]}
    async with httpx2.AsyncClient(base_url=f"http://{registry}/v2/{repository}", timeout=60) as client:
        for data in (config, layer):
            begun = await client.post("/blobs/uploads/")
            place = httpx2.URL(begun.headers["location"]).copy_merge_params({"digest": digest_of(data)})
            (await client.put(place, content=data)).raise_for_status()
        pushed = await client.put(
            "/manifests/v1", content=json.dumps(manifest), headers={"Content-Type": kind}
        )
        pushed.raise_for_status()
    return f"{registry}/{repository}:v1"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def refused(provided: str | NotStarted) -> NotStarted:
    assert isinstance(provided, NotStarted)
    return provided


async def test_an_image_that_is_missing_is_pulled_and_told_of_in_two_lines(
    shelf: Shelf, registry: str
) -> None:
    name, digest = await shelf.put(registry)
    output = Output()
    provided = await shelf.provide(name, output)
    assert provided == (await shelf.docker.images.inspect(name))["Id"]
    first, second = output.text.splitlines()
    assert first == f"Pulling the image {name}."
    assert second.startswith("Pulled it in ")
    assert second.endswith(f" s, {digest}.")


async def test_an_image_that_is_there_is_not_asked_for(shelf: Shelf, registry: str) -> None:
    name, _ = await shelf.put(registry)
    first = await shelf.provide(name)
    output = Output()
    assert await shelf.provide(name, output) == first
    assert output.text == ""


async def test_always_asks_for_the_newest(shelf: Shelf, registry: str) -> None:
    name, _ = await shelf.put(registry)
    first = await shelf.provide(name)
    await shelf.put_again(name)
    second = await shelf.provide(name, policy=PullPolicy.ALWAYS)
    assert isinstance(second, str)
    assert second != first


async def test_always_fails_where_the_registry_is_away_though_the_image_is_there(shelf: Shelf) -> None:
    await shelf.docker.images.tag(shelf.base, "127.0.0.1:1/there", tag="v1")
    refusal = refused(await shelf.provide("127.0.0.1:1/there:v1", policy=PullPolicy.ALWAYS))
    assert (refusal.code, refusal.ours) == (ReasonCode.REGISTRY_UNREACHABLE, True)


async def test_never_takes_what_is_there(shelf: Shelf) -> None:
    assert isinstance(await shelf.provide(shelf.base, policy=PullPolicy.NEVER), str)


async def test_never_does_not_ask_for_what_is_missing(shelf: Shelf, registry: str) -> None:
    name, _ = await shelf.put(registry)
    output = Output()
    refusal = refused(await shelf.provide(name, output, policy=PullPolicy.NEVER))
    assert (refusal.code, refusal.ours) == (ReasonCode.IMAGE_NOT_FOUND, False)
    assert output.text == ""


async def test_a_digest_pins_an_image_whatever_its_tag_has_become(shelf: Shelf, registry: str) -> None:
    name, digest = await shelf.put(registry)
    await shelf.put_again(name)
    output = Output()
    provided = await shelf.provide(f"{name}@{digest}", output)
    assert isinstance(provided, str)
    found = await shelf.docker.images.inspect(provided)
    assert found["RepoDigests"] == [f"{name.removesuffix(':v1')}@{digest}"]


async def test_a_name_without_a_tag_means_latest(shelf: Shelf, registry: str) -> None:
    name, _ = await shelf.put(registry)
    latest = name.replace(":v1", ":latest")
    await shelf.put_again(latest)
    provided = await shelf.provide(name.removesuffix(":v1"))
    assert provided == (await shelf.docker.images.inspect(latest))["Id"]


async def test_an_image_for_another_kind_of_processor_is_warned_of(shelf: Shelf, registry: str) -> None:
    machine = (await shelf.docker.version())["Arch"]
    other = "amd64" if machine == "arm64" else "arm64"
    name = await push_by_hand(registry, other)
    output = Output()
    assert isinstance(await shelf.provide(name, output), str)
    assert output.text.endswith(f"The image is made for {other}, and the engine's machine is {machine}.\n")


async def test_a_missing_image_is_not_found(shelf: Shelf, registry: str) -> None:
    refusal = refused(await shelf.provide(f"{registry}/no/such/image:v1"))
    assert (refusal.code, refusal.ours) == (ReasonCode.IMAGE_NOT_FOUND, False)
    assert refusal.text.startswith(f"The image {registry}/no/such/image:v1 could not be pulled: ")


@pytest.mark.parametrize(
    "name", ["", "../containers/json", "UPPER:v1", "a b", "image:", "x@sha256:12", "a" * 600]
)
async def test_what_is_no_name_of_an_image_is_refused(shelf: Shelf, name: str) -> None:
    refusal = refused(await shelf.provide(name))
    assert (refusal.code, refusal.ours) == (ReasonCode.IMAGE_NOT_FOUND, False)


async def test_the_beginning_of_an_id_is_no_name(shelf: Shelf) -> None:
    image_id = (await shelf.docker.images.inspect(shelf.base))["Id"].removeprefix("sha256:")
    refusal = refused(await shelf.provide(image_id[:12], policy=PullPolicy.NEVER))
    assert refusal.code is ReasonCode.IMAGE_NOT_FOUND


async def test_the_registry_is_asked_with_what_the_task_gives(shelf: Shelf, guarded_registry: str) -> None:
    name, _ = await shelf.put(guarded_registry, {"username": "builder", "password": PASSWORD})
    logins = {guarded_registry: Login("builder", PASSWORD)}
    assert isinstance(await shelf.provide(name, registries=logins), str)


async def test_without_credentials_of_the_task_the_workers_own_are_taken(
    shelf: Shelf, guarded_registry: str, tmp_path: Path
) -> None:
    name, _ = await shelf.put(guarded_registry, {"username": "builder", "password": PASSWORD})
    config = {"auths": {guarded_registry: {"username": "builder", "password": PASSWORD}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert isinstance(await shelf.provide(name), str)


@pytest.mark.parametrize("password", [None, "wrong"])
async def test_an_image_is_denied_without_the_right_password(
    shelf: Shelf, guarded_registry: str, password: str | None
) -> None:
    name, _ = await shelf.put(guarded_registry, {"username": "builder", "password": PASSWORD})
    logins = {guarded_registry: Login("builder", password)} if password else {}
    refusal = refused(await shelf.provide(name, registries=logins))
    assert (refusal.code, refusal.ours) == (ReasonCode.IMAGE_PULL_DENIED, False)
    assert "wrong" not in refusal.text


async def test_credentials_of_the_worker_that_cannot_be_read_are_our_failure(
    shelf: Shelf, registry: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{")
    refusal = refused(await shelf.provide(f"{registry}/image:v1"))
    assert (refusal.code, refusal.ours) == (ReasonCode.IMAGE_PULL_DENIED, True)


async def test_a_registry_that_does_not_answer_is_our_failure(shelf: Shelf) -> None:
    refusal = refused(await shelf.provide("127.0.0.1:1/image:v1"))
    assert (refusal.code, refusal.ours) == (ReasonCode.REGISTRY_UNREACHABLE, True)
    assert "connection refused" in refusal.text


async def test_an_engine_that_does_not_answer_is_our_failure(
    shelf: Shelf, tmp_path: Path, registry: str
) -> None:
    away = Images(DockerAccess(f"unix://{tmp_path}/nothing.sock", tmp_path))
    name, _ = await shelf.put(registry)
    container = Container(name, Path("/nonexistent"))
    refusal = refused(await away.provide(shelf.docker, name, container, Output()))
    assert (refusal.code, refusal.ours) == (ReasonCode.DOCKER_UNREACHABLE, True)


async def test_tasks_that_want_one_image_at_once_share_its_pull(shelf: Shelf, registry: str) -> None:
    name, _ = await shelf.put(registry)
    outputs = [Output() for _ in range(4)]
    provided = await asyncio.gather(
        *(shelf.provide(name, output, policy=PullPolicy.ALWAYS) for output in outputs)
    )
    assert len(set(provided)) == 1
    # How long it took, and the rest of it, is told once for all.
    assert len({output.text for output in outputs}) == 1
    assert outputs[0].text.count("Pulled it in") == 1


async def test_a_pull_goes_on_for_others_when_the_task_that_began_it_is_cancelled(
    shelf: Shelf, registry: str
) -> None:
    name, _ = await shelf.put(registry)
    begun = Output()
    first = asyncio.create_task(shelf.provide(name, begun, policy=PullPolicy.ALWAYS))
    second = asyncio.create_task(shelf.provide(name, policy=PullPolicy.ALWAYS))
    await begun.wait_for("Pulling")
    first.cancel()
    assert isinstance(await second, str)
    with pytest.raises(asyncio.CancelledError):
        await first
