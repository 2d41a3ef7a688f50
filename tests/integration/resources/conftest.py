"""A control plane on each kind of database, with repositories in memory, and a type of resources."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lineshaft.ports.clock import ManualClock
from lineshaft.ports.memory_repositories import MemoryRepositories, MemoryRepository
from lineshaft.services.control_plane import ControlPlane
from planes import temporary_plane

ADDRESS = "https://git.example/team/shop"


@pytest.fixture
def repositories() -> MemoryRepositories:
    return MemoryRepositories()


@pytest.fixture
def repository(repositories: MemoryRepositories) -> MemoryRepository:
    return repositories.add(ADDRESS)


@pytest.fixture
async def plane(
    database_url: str, tmp_path: Path, clock: ManualClock, repositories: MemoryRepositories
) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock, url=database_url, repositories=repositories) as opened:
        yield opened
