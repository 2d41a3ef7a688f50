"""When services are ready, on a real engine."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from integration.docker_engine import Engine
from integration.output import Output
from integration.sidecars import Scene, scene, shell, until, web
from lineshaft.executors.docker.readiness import PortCheck
from lineshaft.model.reason import ReasonCode
from lineshaft.model.service import Readiness
from lineshaft.ports.executor import NotStarted

FOREVER = "exec sleep 1000000"
SOON = timedelta(seconds=1)


@pytest.fixture
async def here(services_engine: Engine) -> AsyncIterator[Scene]:
    async with scene(services_engine) as made:
        yield made


async def wake(here: Scene, network: object, service: str) -> None:
    """Have a service go on that waits for a connection on its port 9000."""
    script = f"while ! echo | nc {service} 9000; do :; done"
    await here.run(network, "sh", "-c", script)


@pytest.mark.parametrize(
    ("ready", "then"),
    [
        (until(command=("test", "-e", "/ready")), "touch /ready"),
        (until(port=7000), "httpd -p 7000"),
        (until(log="^ready to .*$"), "echo ready to serve"),
        (
            until(log="^ready", port=7000, command=("test", "-e", "/ready")),
            "touch /ready; httpd -p 7000; echo ready",
        ),
    ],
    ids=["command", "port", "log", "all"],
)
async def test_the_task_waits_until_a_service_is_ready(
    services_engine: Engine, ready: Readiness, then: str
) -> None:
    log = Output()
    db = shell(f"echo waiting; nc -l -p 9000; {then}; {FOREVER}", ready)
    async with scene(services_engine, {"db": log}) as here, here.beside({"db": db}) as side:
        waiting = asyncio.create_task(side.ready())
        await log.wait_for("waiting")
        assert not waiting.done()
        await wake(here, await side.network(), "db")
        assert await waiting is None


async def test_a_service_that_says_nothing_is_ready_once_it_was_started(here: Scene) -> None:
    async with here.beside({"db": shell(FOREVER)}) as side:
        assert await side.ready() is None


async def test_where_the_engine_is_elsewhere_a_port_is_looked_at_in_the_container(here: Scene) -> None:
    async with here.beside({"web": web()}) as side:
        assert await side.ready() is None
        described = await here.described("web")
        container = here.docker.containers.container(str(described["Id"]))
        assert await PortCheck(container, 8000, lambda _pid, _id: None).look()


async def test_a_port_that_cannot_be_looked_at_says_what_to_do(here: Scene) -> None:
    async with here.beside({"web": web()}) as side:
        assert await side.ready() is None
        described = await here.described("web")
        container = here.docker.containers.container(str(described["Id"]))
        check = PortCheck(container, 8000, lambda _pid, _id: None, program="no-cat")
        assert not await check.look()
    assert check.missing.endswith("let a command or the log tell instead")


async def test_a_service_that_ends_before_it_is_ready_fails_the_task_and_shows_its_log(here: Scene) -> None:
    failing = shell("for i in 1 2 3; do echo line $i; done; exit 4", until(port=8000))
    async with here.beside({"db": failing}) as side:
        refusal = await side.ready()
    assert refusal == NotStarted(
        "The service db ended with exit code 4 before it was ready.", ReasonCode.SERVICE_NOT_READY
    )
    assert here.output.text == (
        "The service db ended with exit code 4 before it was ready. The last that it printed:\n"
        "    line 1\n    line 2\n    line 3\n"
    )


async def test_only_the_last_twenty_lines_are_shown(here: Scene) -> None:
    talkative = shell(
        "i=0; while test $i -lt 50; do i=$((i+1)); echo line $i; done; exit 1", until(port=8000)
    )
    async with here.beside({"db": talkative}) as side:
        assert await side.ready() is not None
    shown = here.output.text.splitlines()[1:]
    assert shown == [f"    line {number}" for number in range(31, 51)]


@pytest.mark.parametrize(
    ("ready", "missing"),
    [
        (Readiness(port=8000, timeout=SOON), "nothing listens on its port 8000"),
        (Readiness(log="^never$", timeout=SOON), 'no line of its log fits "^never$"'),
        (Readiness(command=("false",), timeout=SOON), "its command `false` "),
    ],
    ids=["port", "log", "command"],
)
async def test_a_service_that_is_not_ready_in_time_says_what_was_missing(
    here: Scene, ready: Readiness, missing: str
) -> None:
    async with here.beside({"db": shell(FOREVER, ready)}) as side:
        refusal = await side.ready()
    assert isinstance(refusal, NotStarted)
    assert (refusal.code, refusal.ours) == (ReasonCode.SERVICE_NOT_READY, False)
    assert refusal.text.startswith(f"The service db was not ready within 1 s: {missing}")


async def test_the_first_service_that_fails_ends_the_waiting_for_all(here: Scene) -> None:
    never = shell(FOREVER, until(log="never"))
    async with here.beside({"never": never, "failing": shell("exit 1", until(port=8000))}) as side:
        refusal = await side.ready()
    assert isinstance(refusal, NotStarted)
    assert refusal.text.startswith("The service failing ended with exit code 1")
