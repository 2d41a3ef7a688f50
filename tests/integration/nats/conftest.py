"""A NATS server, and a control plane that publishes there."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lineshaft.integrations.nats import NatsEventSink
from lineshaft.sdk.nats.connection import NatsConnection
from lineshaft.sdk.nats.streams import Streams
from lineshaft.server.nats_desk import NatsDesk
from lineshaft.services.control_plane import ControlPlane
from nats_server import NatsServer, running_nats
from planes import temporary_plane

LOG = logging.getLogger("lineshaft.nats")


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    folder = tmp_path / "nats"
    folder.mkdir()
    with running_nats(folder, "compile", "test") as server:
        yield server


@asynccontextmanager
async def publishing_plane(folder: Path, server: NatsServer) -> AsyncIterator[ControlPlane]:
    """Run a control plane that publishes at a NATS server."""
    async with (
        NatsConnection(server.access("server"), "test", LOG).open() as connection,
        temporary_plane(folder, events=NatsEventSink(connection)) as plane,
        plane.running(),
        NatsDesk(connection, plane.fleet.desk, streams=Streams(connection)).serving(),
    ):
        yield plane
