"""The remotes that the suite is run against: real ones of each kind, and the fake."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from conformance.repositories.sites import KINDS, World, opened


@pytest_asyncio.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Open a world with two empty repositories."""
    async with opened(request.param, tmp_path) as found:
        yield found
