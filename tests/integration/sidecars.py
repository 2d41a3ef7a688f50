"""Services beside a task on a real engine, as the executor of containers has them, for tests."""

import io
import json
import secrets
import shutil
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiodocker import Docker

from integration.docker_engine import Engine
from integration.output import Output
from lineshaft.docker import DockerAccess
from lineshaft.docker.engine import connected
from lineshaft.docker.provision import Images
from lineshaft.executors.docker.platform import Platform, platform_of
from lineshaft.executors.docker.services import Beside, beside
from lineshaft.model.service import Readiness, Service
from lineshaft.ports.executor import ByteSink, Container

IMAGE = "lineshaft-test-services:latest"
_APPLETS = (
    "cat",
    "echo",
    "env",
    "false",
    "httpd",
    "id",
    "mkdir",
    "nc",
    "sh",
    "sleep",
    "test",
    "touch",
    "true",
    "wget",
)
_PATIENCE = timedelta(minutes=2)


@pytest.fixture(scope="session")
def services_engine(docker_engine: Engine) -> Engine:
    """An engine with an image that has programs to serve and to ask with, and opens a port."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("the program busybox is missing; Debian has it in the package busybox-static")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    name, _, tag = IMAGE.partition(":")
    options = {
        "fromSrc": "-",
        "repo": name,
        "tag": tag,
        "changes": ["ENV PATH=/bin", "EXPOSE 8000", "VOLUME /kept"],
    }
    transport = httpx2.HTTPTransport(uds=docker_engine.address.removeprefix("unix://"))
    with httpx2.Client(transport=transport, base_url="http://docker", timeout=60) as client:
        client.post("/images/create", params=options, content=packed.getvalue()).raise_for_status()
    return docker_engine


@dataclass(frozen=True, slots=True)
class Scene:
    """Tasks on an engine.

    Attributes:
        docker: the engine.
        images: its images.
        platform: what it is like.
        label: what all that is made carries.
        output: the task's log.
        logs: those of services.
    """

    docker: Docker
    images: Images
    platform: Platform
    label: str
    output: Output = field(default_factory=Output)
    logs: Mapping[str, ByteSink] = field(default_factory=dict)

    def beside(
        self, services: Mapping[str, Service], env: Mapping[str, Mapping[str, str]] | None = None
    ) -> AbstractAsyncContextManager[Beside]:
        """Have services beside a task."""
        container = Container(
            image=IMAGE,
            source=Path("/nonexistent"),
            services=services,
            service_logs=self.logs,
            service_env=env or {},
        )
        return beside(
            self.docker, container, self._labels, self.output, images=self.images, platform=self.platform
        )

    async def run(self, network: object, *argv: str) -> str:
        """Run a command in a container on a network; return what it prints, or its exit code unless 0."""
        assert isinstance(network, str)
        config: dict[str, Any] = {
            "Image": IMAGE,
            "Cmd": list(argv),
            "Labels": self._labels,
            # No name is asked for outside.
            "HostConfig": {"NetworkMode": network, "Dns": ["127.0.0.1"]},
        }
        container = await self.docker.containers.create(config)
        try:
            await container.start()
            code = (await container.wait())["StatusCode"]
            printed = "".join(await container.log(stdout=True))
        finally:
            await container.delete(force=True, v=True)
        return printed if code == 0 else f"exit code {code}"

    async def described(self, service: str) -> dict[str, Any]:
        """Tell what the engine knows of the container of a service."""
        (found,) = [one for one in await self._containers() if one["Names"][0].endswith(f"-{service}")]
        container = await self.docker.containers.get(found["Id"])
        return await container.show()

    async def left(self) -> list[str]:
        """Name the containers and networks that there are."""
        networks = await self.docker.networks.list(filters={"label": self.label})
        return [name for one in await self._containers() for name in one["Names"]] + [
            one["Name"] for one in networks
        ]

    @property
    def _labels(self) -> dict[str, str]:
        return {self.label: "a-task"}

    async def _containers(self) -> list[dict[str, Any]]:
        params = {"all": "1", "filters": json.dumps({"label": [self.label]})}
        return list(await self.docker._query_json("containers/json", params=params))  # noqa: SLF001


@asynccontextmanager
async def scene(engine: Engine, logs: Mapping[str, ByteSink] | None = None) -> AsyncIterator[Scene]:
    """Set a scene; nothing may be left of it in the end."""
    access = DockerAccess(engine.address, Path("/nonexistent"))
    async with connected(access) as docker:
        assert isinstance(docker, Docker)
        made = Scene(
            docker,
            Images(access),
            await platform_of(docker),
            f"lineshaft-test-{secrets.token_hex(16)}",
            logs=logs or {},
        )
        yield made
        assert await made.left() == []


def shell(script: str, ready: Readiness | None = None, **besides: object) -> Service:
    """Make a service of a script."""
    return Service(IMAGE, command=("sh", "-c", script), ready=ready, **besides)  # type: ignore[arg-type]


def until(
    *, command: tuple[str, ...] | None = None, port: int | None = None, log: str | None = None
) -> Readiness:
    """Make a readiness that has all the time that a busy machine takes."""
    return Readiness(command=command, port=port, log=log, timeout=_PATIENCE)


def web(text: str = "hello", ready: Readiness | None = None) -> Service:
    """Make a service that serves a text by HTTP on its port 8000."""
    script = f"mkdir /w && echo {text} > /w/index.html && echo serving {text} && exec httpd -f -p 8000 -h /w"
    return shell(script, ready or until(port=8000))
