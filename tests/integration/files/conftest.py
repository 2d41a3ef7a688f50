"""A server with a run whose first task is leased, and people who look at what it keeps."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from http_server import http_server
from lineshaft.ports.clock import ManualClock
from planes import PASSWORD, USERNAME, temporary_plane
from worker_files_scene import ServedScene


@dataclass
class Stage:
    """A server, what keeps files there, and who asks for them."""

    scene: ServedScene
    http: httpx2.AsyncClient
    url: str
    clock: ManualClock


@pytest.fixture
async def stage(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    async with (
        temporary_plane(tmp_path, clock) as plane,
        http_server(plane) as url,
        httpx2.AsyncClient(base_url=url, auth=(USERNAME, PASSWORD), timeout=60) as http,
    ):
        yield Stage(ServedScene(plane, plane.fleet.desk, plane.files.desk), http, url, clock)
