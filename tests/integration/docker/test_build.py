"""Images built by the classic builder of a real engine, and pushed to a real registry."""

import asyncio
import base64
import json
import logging
import socket
from pathlib import Path

import httpx2
import pytest
from aiohttp import web

from integration.certificates import Certified
from integration.docker.stand_in import serving
from integration.docker_engine import Engine
from integration.output import Output
from lineshaft.docker import Built, DockerAccess, Trouble, build_image
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.work import BuildWork


async def build(
    dockerfile: str,
    repository: str,
    address: str,
    *,
    output: Output | None = None,
    config_folder: Path = Path("/nonexistent"),
) -> Built | Trouble:
    return await build_image(
        BuildWork(dockerfile, repository, "v1"),
        access=DockerAccess(address, config_folder),
        workshop=None,
        labels={"lineshaft.run": "a-run", "lineshaft.node": "image"},
        sink=output or Output(),
    )


def reason_of(built: Built | Trouble) -> Reason:
    assert isinstance(built, Trouble)
    return built.reason


async def test_an_image_is_built_and_can_be_read_from_the_registry(
    docker_engine: Engine, registry: str
) -> None:
    output = Output()
    built = await build(
        f"FROM {docker_engine.base_image}\nRUN echo made > /made\n",
        f"{registry}/shop/app",
        docker_engine.address,
        output=output,
    )
    async with httpx2.AsyncClient(timeout=60) as client:
        kinds = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
        answer = await client.head(f"http://{registry}/v2/shop/app/manifests/v1", headers=kinds)
    digest = answer.headers["docker-content-digest"]
    assert built == Built(digest, f"{registry}/shop/app@{digest}")
    assert f"digest: {digest}" in output.text


async def test_the_image_carries_the_run_and_the_node_as_labels(docker_engine: Engine, registry: str) -> None:
    await build(f"FROM {docker_engine.base_image}\n", f"{registry}/labelled", docker_engine.address)
    async with docker_engine.client() as client:
        answer = await client.get(f"/images/{registry}/labelled:v1/json")
    assert answer.json()["Config"]["Labels"] == {"lineshaft.run": "a-run", "lineshaft.node": "image"}


async def test_a_layer_tells_each_status_of_its_upload_once(docker_engine: Engine, registry: str) -> None:
    output = Output()
    await build(
        f"FROM {docker_engine.base_image}\nRUN echo once > /once\n",
        f"{registry}/once",
        docker_engine.address,
        output=output,
    )
    upload = output.text.partition("The push refers to repository")[2].splitlines()[1:]
    assert any(line.endswith(": Pushed") for line in upload)
    assert len(upload) == len(set(upload))


async def test_the_two_steps_are_logged_as_the_runner_logs_them(
    docker_engine: Engine, registry: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="pipeline.runner"):
        await build(f"FROM {docker_engine.base_image}\n", f"{registry}/logged", docker_engine.address)
    assert [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "pipeline.runner"
    ] == [
        ("INFO", "Building the application..."),
        ("INFO", "Uploading to ecr..."),
    ]


async def test_a_dockerfile_with_a_syntax_error_fails_with_the_words_of_the_engine(
    docker_engine: Engine,
) -> None:
    built = await build(
        'FROM alpine:latest && CMD ["echo", "Hello, World!"]', "127.0.0.1:1/app", docker_engine.address
    )
    reason = reason_of(built)
    assert reason.code is ReasonCode.IMAGE_BUILD_FAILED
    assert "FROM requires either one or three arguments" in reason.text


async def test_an_empty_dockerfile_is_a_failed_build(docker_engine: Engine) -> None:
    reason = reason_of(await build("", "127.0.0.1:1/app", docker_engine.address))
    assert reason.code is ReasonCode.IMAGE_BUILD_FAILED


async def test_a_failing_command_gives_its_output_and_its_exit_code(docker_engine: Engine) -> None:
    output = Output()
    built = await build(
        f"FROM {docker_engine.base_image}\nRUN echo so far && exit 42\n",
        "127.0.0.1:1/app",
        docker_engine.address,
        output=output,
    )
    assert reason_of(built).code is ReasonCode.IMAGE_BUILD_FAILED
    assert isinstance(built, Trouble)
    assert built.exit_code == 42
    assert "so far\n" in output.text


async def test_an_instruction_of_a_megabyte_is_no_obstacle(docker_engine: Engine) -> None:
    lines = "".join(f"  {'x' * 60000} \\\n" for _ in range(17))
    built = await build(
        f"FROM {docker_engine.base_image}\nRUN exit 7; echo \\\n{lines}  end\n",
        "127.0.0.1:1/app",
        docker_engine.address,
    )
    reason = reason_of(built)
    assert reason.code is ReasonCode.IMAGE_BUILD_FAILED
    assert len(reason.text) < 1200


async def test_a_registry_that_is_not_there_fails_the_push_and_leaves_no_tag(docker_engine: Engine) -> None:
    built = await build(f"FROM {docker_engine.base_image}\n", "127.0.0.1:1/app", docker_engine.address)
    reason = reason_of(built)
    assert reason.code is ReasonCode.REGISTRY_UNREACHABLE
    assert "127.0.0.1:1" in reason.text
    assert "connection refused" in reason.text
    async with docker_engine.client() as client:
        assert (await client.get("/images/127.0.0.1:1/app:v1/json")).status_code == 404


async def test_the_layers_of_an_image_that_was_not_pushed_stay_as_a_cache(docker_engine: Engine) -> None:
    dockerfile = f"FROM {docker_engine.base_image}\nRUN echo cached > /cached\n"
    await build(dockerfile, "127.0.0.1:1/app", docker_engine.address)
    again = Output()
    await build(dockerfile, "127.0.0.1:1/app", docker_engine.address, output=again)
    assert "Using cache" in again.text


async def test_a_registry_that_wants_credentials_refuses_a_push_without(
    docker_engine: Engine, guarded_registry: str
) -> None:
    built = await build(
        f"FROM {docker_engine.base_image}\n", f"{guarded_registry}/app", docker_engine.address
    )
    reason = reason_of(built)
    assert reason.code is ReasonCode.IMAGE_PUSH_FAILED
    assert "no basic auth credentials" in reason.text


async def test_credentials_come_from_the_configuration_of_docker(
    docker_engine: Engine, guarded_registry: str, tmp_path: Path
) -> None:
    entry = {"auth": base64.b64encode(b"builder:open sesame").decode()}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {guarded_registry: entry}}))
    built = await build(
        f"FROM {docker_engine.base_image}\n",
        f"{guarded_registry}/app",
        docker_engine.address,
        config_folder=tmp_path,
    )
    assert isinstance(built, Built)


async def test_a_cancelled_build_leaves_no_container_running(docker_engine: Engine) -> None:
    output = Output()
    task = asyncio.create_task(
        build(
            f"FROM {docker_engine.base_image}\nRUN echo asleep; sleep 1000\n",
            "127.0.0.1:1/app",
            docker_engine.address,
            output=output,
        )
    )
    await output.wait_for("asleep\n")
    async with docker_engine.client() as client:
        container = output.text.partition("Running in ")[2].split()[0]
        described = (await client.get(f"/containers/{container}/json")).json()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await wait_until_destroyed(client, described["Id"])


async def test_a_cancelled_push_leaves_no_tag(docker_engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_registry:
        silent_registry.settimeout(0)
        repository = f"127.0.0.1:{silent_registry.getsockname()[1]}/app"
        task = asyncio.create_task(
            build(f"FROM {docker_engine.base_image}\n", repository, docker_engine.address)
        )
        asked, _ = await asyncio.get_running_loop().sock_accept(silent_registry)
        task.cancel()
        with asked, pytest.raises(asyncio.CancelledError):
            await task
    async with docker_engine.client() as client:
        assert (await client.get(f"/images/{repository}:v1/json")).status_code == 404


async def wait_until_destroyed(client: httpx2.AsyncClient, container: str) -> None:
    filters = json.dumps({"container": [container], "event": ["destroy"]})
    async with client.stream("GET", "/events", params={"since": "0", "filters": filters}) as events:
        await anext(events.aiter_lines())


async def test_no_socket_at_the_address_fails_at_once_and_names_it() -> None:
    reason = reason_of(await build("FROM scratch", "127.0.0.1:1/app", "unix:///nonexistent/docker.sock"))
    assert reason.code is ReasonCode.DOCKER_UNREACHABLE
    assert (
        reason.text
        == "No Docker engine answered at unix:///nonexistent/docker.sock: No such file or directory."
    )


async def test_no_engine_at_a_tcp_address_fails_at_once_and_names_it() -> None:
    reason = reason_of(await build("FROM scratch", "127.0.0.1:1/app", "tcp://127.0.0.1:1"))
    assert reason.code is ReasonCode.DOCKER_UNREACHABLE
    assert reason.text == "No Docker engine answered at tcp://127.0.0.1:1: Connection refused."


@pytest.mark.parametrize(
    "address", ["", "docker.sock", "ssh://builder@host", "unix//var/run/docker.sock", "tcp://"]
)
async def test_an_address_that_is_none_fails_and_says_what_one_looks_like(address: str) -> None:
    reason = reason_of(await build("FROM scratch", "127.0.0.1:1/app", address))
    assert reason.code is ReasonCode.DOCKER_UNREACHABLE
    assert "unix:///path" in reason.text


async def test_tls_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    access = DockerAccess("tcp://127.0.0.1:1", tmp_path, tls_folder=tmp_path)
    work = BuildWork("FROM scratch", "127.0.0.1:1/app", "v1")
    built = await build_image(work, access=access, workshop=None, labels={}, sink=Output())
    assert reason_of(built).code is ReasonCode.DOCKER_UNREACHABLE
    assert str(tmp_path) in reason_of(built).text


async def test_another_server_at_the_address_is_not_taken_for_an_engine() -> None:
    async with serving(web.Application()) as address:
        reason = reason_of(await build("FROM scratch", "127.0.0.1:1/app", address))
    assert reason.code is ReasonCode.DOCKER_UNREACHABLE
    assert "HTTP 404" in reason.text


@pytest.mark.parametrize(
    "last_words", [b'{"stream": "Step 1"}\n', b'{"stream": "Ste', b"[]\n", b"\xff\n", b'"error"\n']
)
async def test_an_engine_that_breaks_off_is_never_taken_for_a_success(last_words: bytes) -> None:
    async def describe(_: web.Request) -> web.Response:
        return web.json_response({"ApiVersion": "1.41"})

    async def break_off(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(last_words)
        assert request.transport is not None
        request.transport.close()
        return response

    application = web.Application()
    application.router.add_get("/version", describe)
    application.router.add_post("/v1.41/build", break_off)
    async with serving(application) as address:
        reason = reason_of(await build("FROM scratch", "127.0.0.1:1/app", address))
    assert reason.code is ReasonCode.DOCKER_UNREACHABLE
    assert address in reason.text


async def test_an_engine_that_wants_tls_gets_the_certificate_of_the_worker(
    certified: Certified, tmp_path: Path
) -> None:
    async def describe(_: web.Request) -> web.Response:
        return web.json_response({"ApiVersion": "1.41"})

    async def refuse(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(
            body=b'{"message": "reached by TLS"}', status=400, content_type="application/json"
        )

    (tmp_path / "ca.pem").write_bytes(certified.certificate.read_bytes())
    application = web.Application()
    application.router.add_get("/version", describe)
    application.router.add_post("/v1.41/build", refuse)
    async with serving(application, certified.server_side(clients_too=True)) as address:
        access = DockerAccess(address, tmp_path, tls_folder=tmp_path)
        work = BuildWork("FROM scratch", "127.0.0.1:1/app", "v1")
        built = await build_image(work, access=access, workshop=None, labels={}, sink=Output())
    assert reason_of(built).text == "The image could not be built: reached by TLS"
