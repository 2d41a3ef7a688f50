"""A control plane on a temporary database, with a clock that the test sets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integration.certificates import certified
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from planes import temporary_plane

__all__ = ["certified"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def plane(tmp_path: Path, clock: ManualClock) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock) as opened:
        yield opened
