"""The worker protocol in both of its forms, over one control plane each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from http_server import http_server
from lineshaft.ports.clock import ManualClock
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_worker import HttpWorker
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from planes import PASSWORD, USERNAME, temporary_plane


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def plane(tmp_path: Path, clock: ManualClock) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock) as opened:
        yield opened


@pytest_asyncio.fixture(params=["direct", "http"])
async def protocol(request: pytest.FixtureRequest, plane: ControlPlane) -> AsyncIterator[WorkerProtocol]:
    if request.param == "direct":
        yield plane.desk
        return
    async with http_server(plane) as url, HttpWorker(ClientConfig(url, USERNAME, PASSWORD)) as worker:
        yield worker
