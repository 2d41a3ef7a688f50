"""The remotes that the suite is run against: real ones of each kind, and the fake."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.repositories.sites import KINDS, World, opened


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Open a world with two empty repositories."""
    with opened(request.param, tmp_path) as found:
        yield found
