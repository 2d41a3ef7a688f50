"""A cluster for each test of this folder."""

from collections.abc import AsyncIterator

import pytest

from integration.certificates import certified
from integration.kubernetes_api import FakeCluster, fake_cluster

__all__ = ["certified", "cluster"]


@pytest.fixture
async def cluster() -> AsyncIterator[FakeCluster]:
    async with fake_cluster() as served:
        yield served
