from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from accounts import Accounts
from http_server import http_server
from lineshaft.ports.clock import ManualClock
from planes import temporary_plane


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[Accounts]:
    clock = ManualClock()
    async with temporary_plane(tmp_path, clock) as plane, http_server(plane) as url:
        yield Accounts(plane, clock, url)
