"""A server over real HTTP, and people who call it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from http_server import http_server
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from people import People


@pytest.fixture
def people(plane: ControlPlane, clock: ManualClock) -> People:
    return People(plane.store, clock)


@pytest.fixture
async def http(plane: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    async with http_server(plane) as url, httpx2.AsyncClient(base_url=url, timeout=60) as client:
        yield client
