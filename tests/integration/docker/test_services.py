"""Services beside a task, on a real engine."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiodocker import DockerError

from integration.docker_engine import Engine
from integration.output import Output
from integration.sidecars import Scene, scene, shell, until, web
from lineshaft.model.reason import ReasonCode
from lineshaft.model.service import Service
from lineshaft.ports.executor import NotStarted

FOREVER = "exec sleep 1000000"


@pytest.fixture
async def here(services_engine: Engine) -> AsyncIterator[Scene]:
    async with scene(services_engine) as made:
        yield made


async def test_a_service_is_reached_by_its_name(here: Scene) -> None:
    async with here.beside({"web": web("hello")}) as side:
        assert await side.ready() is None
        assert await here.run(await side.network(), "wget", "-qO-", "http://web:8000/") == "hello\n"


async def test_services_reach_each_other_by_name(here: Scene) -> None:
    asking = shell(f"while ! wget -qO- http://web:8000/; do :; done; {FOREVER}", until(log="hello"))
    async with here.beside({"web": web("hello"), "asking": asking}) as side:
        assert await side.ready() is None


async def test_two_tasks_have_services_of_one_name_and_port_at_once(here: Scene) -> None:
    async with here.beside({"web": web("one")}) as first, here.beside({"web": web("two")}) as second:
        assert (await first.ready(), await second.ready()) == (None, None)
        said = [
            await here.run(await side.network(), "wget", "-qO-", "http://web:8000/")
            for side in (first, second)
        ]
    assert said == ["one\n", "two\n"]


async def test_a_task_does_not_reach_the_services_of_another(here: Scene) -> None:
    async with here.beside({"web": web()}) as first, here.beside({}) as second:
        assert (await first.ready(), await second.ready()) == (None, None)
        said = await here.run(await second.network(), "wget", "-qO-", "http://web:8000/")
    assert said.startswith("exit code")


async def test_the_localhost_of_a_task_is_its_own(here: Scene) -> None:
    async with here.beside({"web": web()}) as side:
        assert await side.ready() is None
        said = await here.run(await side.network(), "wget", "-qO-", "http://127.0.0.1:8000/")
    assert said.startswith("exit code")


async def test_no_port_is_opened_on_the_machine_though_the_image_names_one(here: Scene) -> None:
    async with here.beside({"web": web()}) as side:
        assert await side.ready() is None
        described = await here.described("web")
    assert described["Config"]["ExposedPorts"] == {"8000/tcp": {}}
    assert described["NetworkSettings"]["Ports"] == {"8000/tcp": None}


async def test_a_service_has_no_privileges_and_nothing_of_the_machine(here: Scene) -> None:
    async with here.beside({"web": web()}) as side:
        assert await side.ready() is None
        host = (await here.described("web"))["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert (host["Privileged"], host["Binds"], host["Devices"]) == (False, None, None)
    assert host["PidsLimit"] == 4096


async def test_a_service_has_the_limits_that_it_asks_for(here: Scene) -> None:
    limited = shell(FOREVER, cpus=0.5, memory_bytes=64 * 1024 * 1024)
    async with here.beside({"limited": limited}) as side:
        assert await side.ready() is None
        host = (await here.described("limited"))["HostConfig"]
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (500_000_000, 67_108_864, 67_108_864)


async def test_a_service_that_asks_for_more_processors_than_there_are_has_all_of_them(here: Scene) -> None:
    async with here.beside({"greedy": shell(FOREVER, cpus=100_000)}) as side:
        assert await side.ready() is None


async def test_a_service_finds_its_environment_and_its_secrets(services_engine: Engine) -> None:
    log = Output()
    async with scene(services_engine, {"db": log}) as here:
        asked = shell(f'echo "$LEVEL, $PASSWORD"; {FOREVER}', until(log=","), env={"LEVEL": "high"})
        async with here.beside({"db": asked}, {"db": {"PASSWORD": "sesame"}}) as side:
            assert await side.ready() is None
    assert log.text == "high, sesame\n"


async def test_the_command_of_a_service_takes_the_place_of_the_images_own(here: Scene) -> None:
    async with here.beside({"plain": Service("lineshaft-test-services", ("sleep", "1000000"))}) as side:
        assert await side.ready() is None
        described = await here.described("plain")
    assert described["Config"]["Cmd"] == ["sleep", "1000000"]


async def test_the_log_of_each_service_is_kept_apart_and_complete(services_engine: Engine) -> None:
    one, two = Output(), Output()
    async with scene(services_engine, {"one": one, "two": two}) as here:
        services = {name: shell(f"echo I am {name}; {FOREVER}", until(log="am")) for name in ("one", "two")}
        async with here.beside(services) as side:
            assert await side.ready() is None
        assert here.output.text == ""
    assert (one.text, two.text) == ("I am one\n", "I am two\n")


async def test_what_the_sink_of_a_service_raises_is_raised_in_the_end(services_engine: Engine) -> None:
    class FullError(Exception):
        pass

    class Full:
        async def write(self, data: bytes) -> None:
            raise FullError(data)

    async with scene(services_engine, {"web": Full()}) as here:
        with pytest.raises(FullError):
            async with here.beside({"web": web(ready=until(port=8000, log="serving"))}) as side:
                assert await side.ready() is None


async def test_a_service_that_ends_while_the_task_runs_is_told_of_in_its_log(here: Scene) -> None:
    mortal = shell("echo up; nc -l -p 9000; echo goodbye; exit 3", until(port=9000))
    async with here.beside({"mortal": mortal}) as side:
        assert await side.ready() is None
        await here.run(await side.network(), "sh", "-c", "echo | nc mortal 9000")
        await here.output.wait_for("goodbye")
    assert here.output.text.startswith(
        "The service mortal ended with exit code 3 while the task was running. The last that it printed:\n"
    )
    assert here.output.text.endswith("    goodbye\n")


async def test_that_services_are_removed_in_the_end_is_not_told_as_their_end(here: Scene) -> None:
    async with here.beside({"web": web()}) as side:
        assert await side.ready() is None
        side.dismiss()
    assert here.output.text == ""


async def test_services_are_removed_with_their_volumes(here: Scene) -> None:
    async with here.beside({"web": web()}) as side:
        assert await side.ready() is None
        (mount,) = (await here.described("web"))["Mounts"]
        volume = f"volumes/{mount['Name']}"
        assert (await here.docker._query_json(volume))["Name"] == mount["Name"]  # noqa: SLF001
    with pytest.raises(DockerError, match="no such volume"):
        await here.docker._query_json(volume)  # noqa: SLF001


async def test_services_are_removed_when_the_task_fails(here: Scene) -> None:
    class TaskError(Exception):
        pass

    async def task() -> None:
        async with here.beside({"web": web()}) as side:
            assert await side.ready() is None
            raise TaskError

    with pytest.raises(TaskError):
        await task()
    assert await here.left() == []


async def test_services_are_removed_when_the_task_is_cancelled_on_its_way(here: Scene) -> None:
    log = Output()
    begun = asyncio.Event()

    async def task() -> None:
        async with here.beside({"never": shell(FOREVER, until(log="never")), "web": web()}) as side:
            await side.network()
            begun.set()
            await side.ready()

    running = asyncio.create_task(task())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await here.left() == []
    assert log.text == ""


async def test_services_are_removed_when_the_task_is_cancelled_twice(here: Scene) -> None:
    begun = asyncio.Event()

    async def task() -> None:
        async with here.beside({"web": web(), "other": web()}) as side:
            assert await side.ready() is None
            begun.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(task())
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await here.left() == []


async def test_a_service_whose_image_is_missing_says_so(here: Scene) -> None:
    async with here.beside({"db": Service("127.0.0.1:1/nothing:1")}) as side:
        refusal = await side.ready()
    assert isinstance(refusal, NotStarted)
    assert (refusal.code, refusal.ours) == (ReasonCode.REGISTRY_UNREACHABLE, True)
    assert refusal.text.startswith("The service db: The image 127.0.0.1:1/nothing:1 could not be pulled")


async def test_a_service_whose_program_is_not_in_the_image_says_so(here: Scene) -> None:
    async with here.beside({"db": Service("lineshaft-test-services", ("no-such-program",))}) as side:
        refusal = await side.ready()
    assert isinstance(refusal, NotStarted)
    assert (refusal.code, refusal.ours) == (ReasonCode.SERVICE_NOT_READY, False)
    assert refusal.text.startswith("The service db could not be started: ")
    assert "no-such-program" in refusal.text
