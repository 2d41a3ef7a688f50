"""What BuildKit can do besides, and how its program is kept apart from all else."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from integration.docker.site import BUILDKIT, CLASSIC, Site, site_in
from integration.docker.stand_in import serving
from integration.docker_engine import Engine, started_engine
from integration.program import running
from lineshaft.docker import Built, Trouble
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Login

_SECRET = "a-value-that-is-nowhere-else-4711"


@pytest.fixture
def site(tmp_path: Path, docker_engine: Engine) -> Site:
    return site_in(tmp_path, docker_engine.address, BUILDKIT)


async def test_a_secret_is_read_by_an_instruction_and_is_in_nothing_that_is_left(
    site: Site, docker_engine: Engine, registry: str
) -> None:
    dockerfile = (
        f"FROM {docker_engine.base_image}\n"
        "RUN --mount=type=secret,id=TOKEN value=$(cat /run/secrets/TOKEN) && echo read-${#value} > /result\n"
        "RUN test -e /result && test ! -e /run/secrets/TOKEN && env\n"
    )
    built = await site.build(
        dockerfile, f"{registry}/secret", secrets={"TOKEN": _SECRET}, cache=f"{registry}/secret-cache"
    )
    assert isinstance(built, Built), site.output.text
    async with docker_engine.client() as client:
        left = (await client.get(f"/images/{registry}/secret:v1/get")).content
        history = (await client.get(f"/images/{registry}/secret:v1/history")).content
    assert f"read-{len(_SECRET)}\n".encode() in left
    for kept in (left, history, site.output.text.encode()):
        assert _SECRET.encode() not in kept


async def test_the_classic_builder_begins_nothing_that_has_secrets(
    tmp_path: Path, docker_engine: Engine
) -> None:
    site = site_in(tmp_path, docker_engine.address, CLASSIC)
    built = await site.build(
        f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/x", secrets={"TOKEN": _SECRET}
    )
    assert isinstance(built, Trouble)
    assert built.reason.code is ReasonCode.IMAGE_BUILD_FAILED
    assert "only BuildKit can" in built.reason.text
    assert site.output.text == ""


async def test_an_ssh_agent_is_lent_to_the_instructions_that_mount_it(
    site: Site, docker_engine: Engine, tmp_path: Path
) -> None:
    agent = shutil.which("ssh-agent")
    if agent is None:
        pytest.skip("the program ssh-agent is missing; Debian has it in the package openssh-client")
    dockerfile = f'FROM {docker_engine.base_image}\nRUN --mount=type=ssh test -S "$SSH_AUTH_SOCK"\n'
    socket = tmp_path / "agent"
    with running([agent, "-D", "-a", socket], ready="SSH_AUTH_SOCK", log=tmp_path / "log"):
        built = await site.build(dockerfile, "127.0.0.1:1/ssh", push=False, ssh=socket)
    assert isinstance(built, Built), site.output.text


async def test_a_cancelled_build_leaves_no_instruction_running(site: Site, docker_engine: Engine) -> None:
    mark = f"mark-{os.urandom(8).hex()}"
    dockerfile = f"FROM {docker_engine.base_image}\nRUN echo asleep-now; sleep 1000; echo {mark}\n"
    building = asyncio.create_task(site.build(dockerfile, "127.0.0.1:1/x", push=False))
    await site.output.wait_for("asleep-now\n")
    with opened_process(mark) as process:
        gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(process, gone.set)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        await gone.wait()
        asyncio.get_running_loop().remove_reader(process)


@contextlib.contextmanager
def opened_process(mark: str) -> Iterator[int]:
    """Open the shell that has a mark in its arguments, as a file that can be read when it has ended."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            arguments = (folder / "cmdline").read_bytes()
            if arguments.startswith(b"/bin/sh\0-c\0") and mark.encode() in arguments:
                process = os.pidfd_open(int(folder.name))
                break
    else:
        raise AssertionError(f"no process has {mark} among its arguments")
    try:
        yield process
    finally:
        os.close(process)


async def test_the_program_is_given_nothing_of_the_worker_but_the_logins_of_the_build(
    site: Site, tmp_path: Path, docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    curious = tmp_path / "bin" / "docker"
    curious.parent.mkdir()
    curious.write_text(
        '#!/bin/sh\necho --secret; [ "$2" = --help ] || { env; cat "$DOCKER_CONFIG/config.json"; exit 1; }\n'
    )
    curious.chmod(0o755)
    monkeypatch.setenv("PATH", f"{curious.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LINESHAFT_WORKER_KEY", "the-key-of-the-worker")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-key-of-somebody")
    registries = {"registry.example": Login("me", "mine")}
    await site.build(f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/x", registries=registries)
    names = {line.partition("=")[0] for line in site.output.text.splitlines() if "=" in line}
    assert not {name for name in names if name.startswith(("AWS_", "LINESHAFT_WORKER"))}
    assert "the-key-of-the-worker" not in site.output.text
    assert '{"registry.example": {"auth": "bWU6bWluZQ=="}}' in site.output.text


async def test_without_a_program_the_classic_builder_builds_and_the_log_says_why(
    site: Site, docker_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    built = await site.build(f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/x", push=False)
    assert isinstance(built, Built)
    assert site.output.text.startswith(
        "The classic builder builds, since there is no docker program with BuildKit, such as docker with its "
        "plugin buildx, on the PATH.\n"
    )


async def test_a_program_that_cannot_is_passed_over_for_the_next(
    site: Site, docker_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = tmp_path / "bin" / "docker"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'the buildx component is missing' >&2\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    built = await site.build(f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/x", push=False)
    assert isinstance(built, Built)
    assert f"by {old}" not in site.output.text
    assert "BuildKit builds" in site.output.text


@pytest.mark.parametrize("builder", [CLASSIC, BUILDKIT])
async def test_another_engine_builds_from_the_cache_in_the_registry(
    builder: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    docker_engine: Engine,
    registry: str,
) -> None:
    with started_engine(tmp_path_factory.mktemp("other")) as other:
        await share_base(docker_engine, other)
        dockerfile = f"FROM {docker_engine.base_image}\nRUN echo {os.urandom(8).hex()} > /slow\n"
        outputs = []
        for number, engine in enumerate((docker_engine, other)):
            folder = tmp_path / str(number)
            folder.mkdir()
            site = site_in(folder, engine.address, builder)
            cache = f"{registry}/layers/{builder}"
            built = await site.build(dockerfile, "127.0.0.1:1/cached", push=False, cache=cache)
            assert isinstance(built, Built), site.output.text
            outputs.append(site.output.text)
    words = {CLASSIC: "Using cache", BUILDKIT: "CACHED"}[builder]
    first, second = (instruction_of(output, builder) for output in outputs)
    assert words not in first
    assert words in second


async def share_base(engine: Engine, other: Engine) -> None:
    """Give an engine the very same base image as another, since layers are of use only on top of it."""
    async with engine.client() as ours, other.client() as theirs:
        saved = (await ours.get(f"/images/{engine.base_image}/get")).content
        (await theirs.post("/images/load", content=saved)).raise_for_status()


def instruction_of(output: str, builder: str) -> str:
    """Cut out what a builder has said of the second instruction."""
    begin = {CLASSIC: "Step 2/2", BUILDKIT: "[2/2] RUN"}[builder]
    return output.partition(begin)[2].partition("writing image" if builder == BUILDKIT else "built")[0]


async def test_a_cache_that_cannot_be_reached_is_told_and_fails_nothing(
    site: Site, docker_engine: Engine
) -> None:
    built = await site.build(
        f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/x", push=False, cache="127.0.0.1:1/cache"
    )
    assert isinstance(built, Built)
    assert "The cache was not brought up to date: 127.0.0.1:1/cache:buildkit-" in site.output.text


async def test_an_engine_that_is_not_dockers_is_given_to_the_classic_builder(tmp_path: Path) -> None:
    async def describe(_: web.Request) -> web.Response:
        return web.json_response(
            {"ApiVersion": "1.41", "Os": "linux", "Components": [{"Name": "Podman Engine"}]}
        )

    async def refuse(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"message": "reached"}, status=400)

    application = web.Application()
    for route in ("/version", "/v1.41/version"):
        application.router.add_get(route, describe)
    application.router.add_post("/v1.41/build", refuse)
    async with serving(application) as address:
        site = site_in(tmp_path, address, BUILDKIT)
        built = await site.build("FROM scratch\n", "127.0.0.1:1/x")
    assert site.output.text == (
        "The classic builder builds, since the engine is Podman Engine, which has no BuildKit.\n"
    )
    assert isinstance(built, Trouble)


async def test_a_disk_of_the_engine_that_is_full_is_ours_with_both_builders(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("small")
    with small_disk(folder / "data"), started_engine(folder) as engine:
        for builder in (CLASSIC, BUILDKIT):
            (tmp_path / builder).mkdir()
            site = site_in(tmp_path / builder, engine.address, builder)
            with (site.folder / "large").open("wb") as file:
                file.truncate(40_000_000)
            built = await site.build(f"FROM {engine.base_image}\nCOPY large /\n", "127.0.0.1:1/x", push=False)
            assert isinstance(built, Trouble)
            assert (built.reason.code, built.ours) == (ReasonCode.DISK_FULL, True), built


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a disk of 24 MB; skips the test where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        # What the engine has left mounted below goes with it.
        subprocess.run(["umount", "--lazy", folder], check=True)
