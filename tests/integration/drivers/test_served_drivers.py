"""Drivers that are built with the SDK, at a real server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from http_server import http_server
from lineshaft.definition.compiling.read import read_native
from lineshaft.model.state import State
from lineshaft.ports.clock import SystemClock
from lineshaft.sdk.driver import Result, Task, driver, serve_async
from lineshaft.services.control_plane import ControlPlane
from planes import temporary_plane

CONVEYOR = """
name: conveyor
steps:
  - {name: compile, driver: compile, with: {target: release}}
  - {name: upload, driver: upload, with: {from: "${{ outputs.compile.artifact }}"}}
"""


@pytest_asyncio.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, SystemClock()) as opened:
        yield opened


async def test_two_drivers_of_one_program_hand_a_run_on(plane: ControlPlane) -> None:
    done: asyncio.Future[tuple[object, object]] = asyncio.get_running_loop().create_future()

    @driver(name="compile")
    def compile_app(task: Task) -> Result:
        return Result.success("compiled", artifact=f"{task.inputs['target']}.tar")

    @driver(name="upload")
    async def upload(task: Task) -> None:
        done.set_result((task.inputs["from"], task.context.results["compile"].data))

    _, key = await plane.fleet.worker_keys.create("drivers")
    pipeline = await plane.pipelines.create(read_native(CONVEYOR.encode()))
    run = await plane.runs.trigger(pipeline.id)
    drain = asyncio.Event()
    async with http_server(plane) as url:
        serving = asyncio.create_task(serve_async([compile_app, upload], url, key, drain=drain))
        try:
            either: set[asyncio.Future[Any]] = {done, serving}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            drain.set()
            await serving
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    assert done.result() == ("release.tar", {"artifact": "release.tar"})
    assert (await plane.runs.get(run.id)).root.state is State.SUCCEEDED
