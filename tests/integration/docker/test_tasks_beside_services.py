"""Tasks in containers, with services beside them."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest
from aiodocker import Docker

from integration.docker_engine import Engine
from integration.output import Output
from integration.sidecars import IMAGE, shell, until, web
from lineshaft.docker import DockerAccess
from lineshaft.docker.engine import connected
from lineshaft.docker.provision import Images
from lineshaft.executors.docker import DockerExecutor
from lineshaft.executors.docker.owner import LABEL, labels_of
from lineshaft.executors.docker.platform import platform_of
from lineshaft.executors.docker.services import beside
from lineshaft.model.image import Image, ImageBuild
from lineshaft.model.reason import ReasonCode
from lineshaft.model.service import Service
from lineshaft.ports.executor import Broken, Command, Container, Ending, Exit, Mount, NotStarted

DONE = Exit(Ending.ENDED, exit_code=0)


@dataclass(frozen=True, slots=True)
class House:
    """An executor, and what it has left on its engine."""

    executor: DockerExecutor
    engine: Engine
    folder: Path
    output: Output
    label: str

    async def do(
        self,
        script: str,
        services: Mapping[str, Service],
        *,
        image: Image = IMAGE,
        stop: asyncio.Event | None = None,
    ) -> Exit | NotStarted | Broken:
        mounts = (Mount(self.folder, PurePosixPath(self.folder), writable=True),)
        command = Command(
            ("sh", "-c", script),
            self.folder,
            {"PATH": "/bin"},
            timeout=None,
            grace=timedelta(seconds=60),
            label=self.label,
            container=Container(image, self.folder, mounts=mounts, services=services),
        )
        return await self.executor.execute(command, self.output, stop or asyncio.Event())

    async def left(self) -> list[str]:
        """Name the containers and networks of the task that there are."""
        filters = {"filters": json.dumps({"label": [f"{LABEL}={self.label}"]})}
        async with self.engine.client() as client:
            containers = await client.get("/containers/json", params={"all": "1", **filters})
            networks = await client.get("/networks", params=filters)
        return [one["Id"] for one in [*containers.json(), *networks.json()]]


@pytest.fixture
async def house(services_engine: Engine, tmp_path: Path) -> AsyncIterator[House]:
    folder = tmp_path / "workspace"
    folder.mkdir()
    executor = DockerExecutor(DockerAccess(services_engine.address, tmp_path), tmp_path / "first")
    label = f"lineshaft-test-{secrets.token_hex(8)}/run/1"
    made = House(executor, services_engine, folder, Output(), label)
    yield made
    assert await made.left() == []
    await executor.close()


async def test_a_task_reaches_its_services_by_name_from_its_first_moment(house: House) -> None:
    services = {"one": web("hello"), "two": web("world")}
    script = "wget -qO- http://one:8000/ && wget -qO- http://two:8000/"
    assert await house.do(script, services) == DONE
    assert house.output.text == "hello\nworld\n"


async def test_a_task_does_not_begin_while_a_service_is_not_ready(house: House) -> None:
    failing = {"web": web(), "db": shell("echo no room; exit 4", until(port=5432))}
    assert await house.do("echo begun", failing) == NotStarted(
        "The service db ended with exit code 4 before it was ready.", ReasonCode.SERVICE_NOT_READY
    )
    assert "begun" not in house.output.text
    assert "    no room\n" in house.output.text


async def test_that_a_service_ends_is_told_on_a_line_of_its_own(house: House) -> None:
    mortal = {"mortal": shell("nc -l -p 9000; exit 3", until(port=9000))}
    # The task ends only when it is told to, which is when its log has told of the service.
    stop = asyncio.Event()
    doing = asyncio.create_task(
        house.do("echo -n unended; echo | nc mortal 9000; exec sleep 1000000", mortal, stop=stop)
    )
    await house.output.wait_for("ended with exit code 3 while the task was running")
    stop.set()
    result = await doing
    assert isinstance(result, Exit)
    assert result.ending is Ending.STOPPED
    assert house.output.text.startswith("unended\nThe service mortal ended with exit code 3")


async def test_a_task_that_is_stopped_while_its_services_begin_does_not_begin(house: House) -> None:
    stop = asyncio.Event()
    never = {"never": shell("echo; exec sleep 1000000", until(log="never"))}
    doing = asyncio.create_task(house.do("echo begun", never, stop=stop))
    stop.set()
    assert await doing == Exit(Ending.STOPPED)
    assert house.output.text == ""


async def test_a_task_that_is_cancelled_leaves_no_service(house: House) -> None:
    doing = asyncio.create_task(house.do("echo begun; exec sleep 1000000", {"web": web()}))
    await house.output.wait_for("begun")
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert await house.left() == []


async def test_services_that_a_killed_worker_has_left_are_swept_away(house: House) -> None:
    access = DockerAccess(house.engine.address, house.folder)
    container = Container(IMAGE, house.folder, services={"web": web()})
    async with connected(access) as docker:
        assert isinstance(docker, Docker)
        left = beside(
            docker,
            container,
            labels_of(house.label, {}),
            house.output,
            images=Images(access),
            platform=await platform_of(docker),
        )
        async with left as side:
            assert await side.ready() is None
            assert len(await house.left()) == 2
            assert await house.executor.sweep(house.label.partition("/")[0]) == 1
            assert await house.left() == []


async def test_a_task_and_its_service_run_in_images_of_the_same_dockerfile(house: House) -> None:
    dockerfile = f"FROM {IMAGE}\nENV WORD={secrets.token_hex(8)}\n"
    (house.folder / "Dockerfile").write_text(dockerfile)
    built = ImageBuild("Dockerfile", "")
    word = dockerfile.partition("WORD=")[2].strip()
    script = 'mkdir /w && echo "$WORD" > /w/index.html && exec httpd -f -p 8000 -h /w'
    service = Service(built, ("sh", "-c", script), ready=until(port=8000))
    assert await house.do('wget -qO- http://web:8000/; echo "$WORD"', {"web": service}, image=built) == DONE
    assert house.output.text.endswith(f"{word}\n{word}\n")
