"""Every executor, on every event loop that a worker runs on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop

from conformance.executors.witness import Lifeline, Scene
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.death import ThreadWatch
from lineshaft.executors.process.portable_table import PortableTable
from lineshaft.executors.process.system import System
from lineshaft.ports.executor import Executor

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "process": ProcessExecutor,
    "process-off-linux": lambda: ProcessExecutor(System(PortableTable(), ThreadWatch, adopts=False)),
}


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=EXECUTORS)
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    lifeline = Lifeline(tmp_path)
    yield Scene(EXECUTORS[request.param](), tmp_path, lifeline)
    lifeline.close()
