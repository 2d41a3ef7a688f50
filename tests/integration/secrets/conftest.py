"""Control planes with secrets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lineshaft.ports.cipher import FakeCipher
from lineshaft.services.control_plane import ControlPlane
from planes import temporary_plane


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A control plane that keeps secrets."""
    async with temporary_plane(tmp_path, cipher=FakeCipher()) as opened:
        yield opened
