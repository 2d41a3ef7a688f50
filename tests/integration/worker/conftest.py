"""A worker with a workspace, and a repository for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from git_server import Origin
from worker_tasks import Bench, bench


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as opened:
        yield opened


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)
