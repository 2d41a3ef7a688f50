"""Every executor that this machine can have, on every event loop that a worker runs on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import uvloop

from conformance.executors.containers import containers_scene
from conformance.executors.control_groups import HIERARCHIES
from conformance.executors.sandboxes import SANDBOXES
from conformance.executors.witness import Lifeline, Scene
from integration.docker_engine import can_have_engine, docker_engine
from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.death import ThreadWatch
from lineshaft.executors.process.hierarchy import Hierarchy
from lineshaft.executors.process.portable_table import PortableTable
from lineshaft.executors.process.sandbox import Sandbox
from lineshaft.executors.process.system import System, this_system
from lineshaft.ports.executor import Executor

__all__ = ["docker_engine"]

collect_ignore = [
    *([] if HIERARCHIES else ["test_control_groups.py"]),
    *([] if SANDBOXES else ["test_sandbox.py"]),
]


def in_groups(hierarchy: Hierarchy | None) -> Executor:
    return ProcessExecutor(replace(this_system(), cgroups=hierarchy))


def in_sandbox(sandbox: Sandbox, hierarchy: Hierarchy | None) -> Executor:
    return ProcessExecutor(replace(this_system(), cgroups=hierarchy), sandbox=sandbox)


EXECUTORS: dict[str, Callable[[], Executor]] = {
    "process": partial(in_groups, None),
    **{f"process-in-cgroups-{name}": partial(in_groups, found) for name, found in HIERARCHIES.items()},
    **{
        f"process-in-a-sandbox-{name}": partial(in_sandbox, sandbox, found)
        for sandbox in SANDBOXES
        for name, found in {"without a group": None, **HIERARCHIES}.items()
    },
    "process-off-linux": lambda: ProcessExecutor(System(PortableTable(), ThreadWatch, adopts=False)),
}


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=[*EXECUTORS, *(["docker"] if can_have_engine() else [])])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    lifeline = Lifeline(tmp_path)
    try:
        if request.param == "docker":
            async with containers_scene(
                request.getfixturevalue("docker_engine"), tmp_path, lifeline
            ) as scene:
                yield scene
        else:
            yield Scene(EXECUTORS[request.param](), tmp_path, lifeline)
    finally:
        lifeline.close()
