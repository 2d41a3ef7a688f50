"""Every executor, on every event loop that a worker runs on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from conformance.executors.control_groups import hierarchy_of
from conformance.executors.witness import Lifeline, Scene
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.death import ThreadWatch
from lineshaft.executors.process.portable_table import PortableTable
from lineshaft.executors.process.system import System, this_system
from lineshaft.ports.executor import Executor


def in_groups(*, unified: bool) -> Executor:
    return ProcessExecutor(replace(this_system(), cgroups=hierarchy_of(unified=unified)))


EXECUTORS: dict[str, Callable[[], Executor]] = {
    "process": lambda: ProcessExecutor(replace(this_system(), cgroups=None)),
    "process-in-cgroups-1": lambda: in_groups(unified=False),
    "process-in-cgroups-2": lambda: in_groups(unified=True),
    "process-off-linux": lambda: ProcessExecutor(System(PortableTable(), ThreadWatch, adopts=False)),
}


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=EXECUTORS)
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    lifeline = Lifeline(tmp_path)
    yield Scene(EXECUTORS[request.param](), tmp_path, lifeline)
    lifeline.close()
