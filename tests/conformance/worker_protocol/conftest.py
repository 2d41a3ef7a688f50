"""The worker protocol in all of its forms, over one control plane each."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from http_server import http_server
from lineshaft.ports.clock import ManualClock
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from nats_server import NatsServer, running_nats
from planes import temporary_plane
from protocol_callers import Callers, nats_callers


@pytest.fixture(scope="session")
def shared_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def plane(tmp_path: Path, clock: ManualClock) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock) as opened:
        yield opened


@pytest_asyncio.fixture(params=["direct", "http", "nats"])
async def callers(request: pytest.FixtureRequest, plane: ControlPlane) -> AsyncIterator[Callers]:
    async with AsyncExitStack() as opened:
        if request.param == "nats":
            server: NatsServer = request.getfixturevalue("shared_nats")
            yield await nats_callers(plane, server, opened)
            return
        url = None if request.param == "direct" else await opened.enter_async_context(http_server(plane))
        yield Callers(plane, url, opened)


@pytest_asyncio.fixture
async def protocol(callers: Callers) -> WorkerProtocol:
    return await callers.user()
