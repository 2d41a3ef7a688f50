"""Drivers that take their work from a real NATS server."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.nats.conftest import LOG, publishing_plane
from lineshaft.definition.compiling.read import read_native
from lineshaft.model.errors import ForbiddenError, ServerUnreachableError
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.sdk.agent.agent import Agent
from lineshaft.sdk.driver import Result, Task, driver, serve_async
from lineshaft.sdk.driver.decorator import registered
from lineshaft.sdk.driver.program import ProgramSettings, agent_of
from lineshaft.sdk.nats.connection import NatsConnection
from lineshaft.sdk.nats.worker import NatsWorker
from lineshaft.services.control_plane import ControlPlane
from nats_server import PATIENCE_SECONDS, NatsServer
from worker_protocol_scene import register

MANY = 50


def pipeline_of(count: int) -> str:
    """Write a pipeline with so many tasks of one driver."""
    steps = "".join(f"  - {{name: t{number}, driver: compile}}\n" for number in range(count))
    return f"name: many\nparallel: true\nsteps:\n{steps}"


async def begin(plane: ControlPlane, count: int) -> Run:
    """Start a run with so many tasks of one driver."""
    pipeline = await plane.pipelines.create(read_native(pipeline_of(count).encode()))
    return await plane.runs.trigger(pipeline.id)


async def ended(plane: ControlPlane, run: Run) -> Run:
    """Wait until a run has ended."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for _ in plane.runs.follow(run.id, after=0):
            pass
    return await plane.runs.get(run.id)


@asynccontextmanager
async def program(server: NatsServer, done: Any, name: str) -> AsyncIterator[Agent]:
    """Run a program of the driver `compile` until the context is left."""

    @driver(name="compile", concurrency=3)
    async def compile_app(task: Task) -> Result:
        task.log("x" * 700_000)
        await done(name, task)
        return Result.success("compiled")

    async with AsyncExitStack() as opened:
        protocol = await opened.enter_async_context(NatsWorker.open(server.access("compile"), "compile"))
        agent = agent_of(registered(compile_app), protocol, ProgramSettings(), name)
        working = asyncio.create_task(agent.run())
        try:
            yield agent
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def test_two_programs_of_a_driver_do_each_of_many_tasks_once(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    counted: Counter[str] = Counter()

    async def done(_: str, task: Task) -> None:
        counted[task.run.node] += 1

    async with (
        publishing_plane(tmp_path, nats_server) as plane,
        program(nats_server, done, "first"),
        program(nats_server, done, "second"),
    ):
        run = await ended(plane, await begin(plane, MANY))

    assert run.root.state is State.SUCCEEDED
    assert counted == {f"t{number}": 1 for number in range(MANY)}


async def test_a_driver_works_on_when_nats_was_killed_and_came_back(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    counted: Counter[str] = Counter()
    first = asyncio.Event()

    async def done(_: str, task: Task) -> None:
        counted[task.run.node] += 1
        first.set()

    async with publishing_plane(tmp_path, nats_server) as plane, program(nats_server, done, "only"):
        run = await begin(plane, 9)
        await first.wait()
        nats_server.kill()
        nats_server.start()
        run = await ended(plane, run)

    assert run.root.state is State.SUCCEEDED
    assert counted == {f"t{number}": 1 for number in range(9)}


async def test_the_user_of_one_driver_reaches_no_other_drivers_desk(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    async with publishing_plane(tmp_path, nats_server) as plane:
        refused = asyncio.Event()

        async def on_error(error: Exception) -> None:
            if "permissions violation" in str(error).lower():
                refused.set()

        async with nats_server.client("compile") as client:
            client._error_cb = on_error  # noqa: SLF001 - it takes one only when it connects.
            await client.publish("lineshaft.desk.test.register", b"{}")
            async with asyncio.timeout(PATIENCE_SECONDS):
                await refused.wait()
        assert await plane.fleet.workers.page(after=None, limit=9) == []


async def test_a_driver_serves_no_kind_but_its_own(tmp_path: Path, nats_server: NatsServer) -> None:
    async with (
        publishing_plane(tmp_path, nats_server) as plane,
        NatsWorker.open(nats_server.access("compile"), "compile") as worker,
    ):
        with pytest.raises(ForbiddenError):
            await register(worker, kinds=frozenset({"test"}))
        assert await plane.fleet.workers.page(after=None, limit=9) == []


async def test_a_driver_does_not_take_the_name_of_another_drivers_program(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    async with (
        publishing_plane(tmp_path, nats_server),
        NatsWorker.open(nats_server.access("compile"), "compile") as worker,
        NatsWorker.open(nats_server.access("test"), "test") as other,
    ):
        await register(worker, "w", kinds=frozenset({"compile"}))
        with pytest.raises(ForbiddenError):
            await register(other, "w", kinds=frozenset({"test"}))


async def test_a_call_that_no_server_answers_says_that(nats_server: NatsServer) -> None:
    async with NatsConnection(nats_server.access("reader"), "test", LOG).open() as connection:
        with pytest.raises(ServerUnreachableError, match="No server answers"):
            await register(NatsWorker(connection, "compile"), kinds=frozenset({"compile"}))


async def test_a_driver_is_served_over_nats_by_its_address_alone(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    @driver(name="compile")
    def compile_app(_: Task) -> Result:
        return Result.success("compiled")

    monkeypatch.setenv("LINESHAFT_NATS_USER", "compile")
    monkeypatch.setenv("LINESHAFT_NATS_PASSWORD", "secret")
    drain = asyncio.Event()
    async with publishing_plane(tmp_path, nats_server) as plane:
        serving = asyncio.create_task(serve_async(compile_app, nats_server.url, drain=drain))
        try:
            run = await ended(plane, await begin(plane, 1))
            drain.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await serving
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    assert run.root.state is State.SUCCEEDED
