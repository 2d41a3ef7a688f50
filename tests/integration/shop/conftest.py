"""An engine, a registry and a cluster to ship to."""

from collections.abc import AsyncIterator

import pytest

from integration.certificates import certified
from integration.docker_engine import docker_engine, registry
from integration.kubernetes_api import FakeCluster, fake_cluster

__all__ = ["certified", "cluster", "docker_engine", "registry"]


@pytest.fixture
async def cluster() -> AsyncIterator[FakeCluster]:
    async with fake_cluster() as served:
        yield served
