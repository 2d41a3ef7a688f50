"""Workers that run tasks in containers of a real engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from git_server import Origin
from integration.docker_engine import Engine, docker_engine, guarded_registry, registry
from integration.tool_image import tools
from lineshaft.docker import DockerAccess
from lineshaft.executors.docker import DockerExecutor
from lineshaft.worker.containers import Containers
from worker_tasks import Bench, bench

__all__ = ["docker_engine", "guarded_registry", "registry", "tools"]


@pytest.fixture
async def worker(tmp_path: Path, docker_engine: Engine, tools: str) -> AsyncIterator[Bench]:
    """A worker whose tasks run in the image of tools where they name none."""
    executor = DockerExecutor(
        DockerAccess(docker_engine.address, tmp_path / "no-docker-configuration"), tmp_path / "first"
    )
    known_hosts = tmp_path / "known_hosts"
    try:
        async with bench(
            tmp_path,
            environment={"PATH": "/bin", "OF_THE_WORKER": "yes"},
            executor=executor,
            containers=Containers(tools, known_hosts),
        ) as opened:
            yield opened
    finally:
        await executor.close()


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)
