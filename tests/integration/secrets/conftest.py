"""Control planes with secrets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lineshaft.ports.cipher import FakeCipher
from lineshaft.services.control_plane import ControlPlane
from planes import temporary_plane


@pytest.fixture
async def plane(tmp_path: Path, database_url: str) -> AsyncIterator[ControlPlane]:
    """A control plane that keeps secrets, on each kind of database."""
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher()) as opened:
        yield opened
